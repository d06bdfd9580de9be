"""Photos and results as a session has them."""

from __future__ import annotations

from gcdesk.store import NewPhoto, Store, StoredResult


def photos(count: int, folder: str = "/srv/camera") -> list[NewPhoto]:
    return [NewPhoto(f"{folder}/IMG_{n}.jpg", f"cup {n}", 1000 + n, 17 * 10**17 + n) for n in range(count)]


def result(item: int, label: int = 2, **changed: object) -> StoredResult:
    """Text is sure that it is Green."""
    values: dict[str, object] = {
        "item_id": item,
        "image": (0.1, 0.2, 0.6, 0.1),
        "text": (0.01, 0.02, 0.95, 0.02),
        "label": label,
        "winner": 2,
        "confidence": 0.95,
        "margin": 0.35,
        "review": False,
        "reason": "Text is more confident: 0.95 against 0.60, so Green",
    }
    return StoredResult(**{**values, **changed})  # type: ignore[arg-type]


def session_of(store: Store, count: int) -> tuple[int, list[int]]:
    """A session with so many photos: its id and theirs."""
    session = store.create_session("Line 2")
    return session, [added.item_id for added in store.add_items(session, photos(count))]
