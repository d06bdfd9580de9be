"""Numbers and times as the operator reads them. No Qt."""

from __future__ import annotations

import datetime


def day_and_time(seconds: float, now: datetime.datetime | None = None) -> str:
    """`Today 14:05`, `Yesterday 14:05`, `21 November 2026`; seconds since 1970, in this computer's time."""
    then, now = datetime.datetime.fromtimestamp(seconds), now or datetime.datetime.now()
    days = (now.date() - then.date()).days
    if days in (0, 1):
        return f"{'Today' if days == 0 else 'Yesterday'} {then:%H:%M}"
    return f"{then.day} {then:%B %Y}"


def photos(count: int) -> str:
    """`1 photo`, `1,204 photos`."""
    return "1 photo" if count == 1 else f"{count:,} photos"


def duration(seconds: float) -> str:
    """`4 s`, `3 min`, `1 h 20 min`."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
