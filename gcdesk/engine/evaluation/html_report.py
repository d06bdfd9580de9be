"""An evaluation as one HTML file: no network, no script, captions escaped, small pictures inside."""

from __future__ import annotations

import base64
import html
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.evaluation.analysis import WORDS, Analysis, added_by, threshold_words
from gcdesk.engine.evaluation.figures import Figure, all_figures, percent
from gcdesk.engine.evaluation.scored_set import FOLDER
from gcdesk.engine.evaluation.wording import SOURCE_WORDS, WINNER_WORDS
from gcdesk.engine.labels import BINS
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.tables.writer import readable, replaced_file

_SHOWN = 24
_PICTURE = 112
_JPEG_QUALITY = 70
_STYLE = """
body{font:15px/1.5 Inter,Helvetica,Arial,sans-serif;color:#1b1d1f;background:#f5f5f3;margin:0}
main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:40px 0 6px}p{margin:6px 0;color:#50555a}
section{background:#fff;border:1px solid #e3e3df;border-radius:10px;padding:18px 20px;margin:12px 0}
.pair{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}.pair svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-size:13px}th{text-align:left;color:#64696e;font-weight:500}
td,th{padding:4px 14px 4px 0;border-bottom:1px solid #eeeeeb;vertical-align:top}
td{font-variant-numeric:tabular-nums}.warn{border-left:4px solid #1b1d1f}
.items{display:flex;flex-wrap:wrap;gap:14px}.item{width:150px;font-size:12px;overflow-wrap:anywhere}
.item img,.item .none{display:block;width:112px;height:112px;object-fit:cover;border-radius:6px;
background:#ecece8;margin-bottom:4px}
"""


def report_html(
    analysis: Analysis,
    picture: Callable[[str], bytes | None] | None = None,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> str:
    """The page. picture: a small JPEG of a photo's path, None where there is none. tell: pictures done of all."""
    scored = analysis.scored
    wanted = [*analysis.mistakes[:_SHOWN].tolist(), *analysis.disagreements[:_SHOWN].tolist()]
    pictures: dict[int, bytes | None] = {}
    for number, place in enumerate(dict.fromkeys(wanted)):
        path = scored.items[place].path
        pictures[place] = (picture or small_picture)(path) if path else None
        tell(number + 1, len(set(wanted)))
    parts = [_head(analysis), _warnings(analysis), _summary(analysis)]
    parts += [_figure(figure) for figure in all_figures(analysis)]
    parts.append(_winners(analysis))
    parts.append(_items("Most confident mistakes", analysis, analysis.mistakes, pictures))
    parts.append(_items("Where the models disagree", analysis, analysis.disagreements, pictures))
    parts.append(_leaks(analysis))
    title = f"{_safe(scored.name)} – gcdesk evaluation"  # noqa: RUF001 - a dash
    # An icon of its own, or a browser would ask for one beside the file.
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:;'
        " style-src 'unsafe-inline'\">"
        f'<title>{title}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def write_report(
    analysis: Analysis, target: Path, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> Path:
    """Write the page in one step. Raises GcdeskError."""
    with replaced_file(target) as stream:
        stream.write(report_html(analysis, tell=tell))
    return target


def small_picture(path: str) -> bytes | None:
    """A photo as a small JPEG, None where it cannot be read."""
    try:
        image = decode_photo(path, _PICTURE)
    except PhotoError:
        return None
    image.thumbnail((2 * _PICTURE, 2 * _PICTURE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()


def _safe(text: str) -> str:
    """Text as HTML, without what no page may hold."""
    return html.escape("".join(c if c.isprintable() else "�" for c in readable(text)))


def _head(analysis: Analysis) -> str:
    scored = analysis.scored
    models = ", ".join(_safe(model.name) for model in (scored.image, scored.text) if model is not None)
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(scored.created))
    return (
        f"<h1>{_safe(scored.name)}</h1><p>{len(scored):,} items from {_safe(scored.data)}; models: {models};"
        f" {made}. Selection in use: {_safe(WORDS[analysis.chosen])}.</p>"
    )


def _warnings(analysis: Analysis) -> str:
    notes = [*analysis.warnings, *analysis.scored.notes]
    return "".join(f'<section class="warn">{_safe(words)}</section>' for words in notes)


def _summary(analysis: Analysis) -> str:
    lines = [*added_by(analysis), threshold_words(analysis.in_use.at)]
    return "<section>" + "".join(f"<p>{_safe(line)}</p>" for line in lines) + _shares(analysis) + "</section>"


def _shares(analysis: Analysis) -> str:
    if len(analysis.shares) < 2 and all(share.source == FOLDER for share in analysis.shares):
        return ""
    rows = [
        (SOURCE_WORDS[share.source], str(share.items), percent(share.right / share.items))
        for share in analysis.shares
    ]
    return _table(("Where the true bin is known from", "Items", "Selection right"), rows)


def _figure(figure: Figure) -> str:
    return (
        f"<h2>{_safe(figure.title)}</h2><section><p>{_safe(figure.caption)}</p>"
        f'<div class="pair"><div>{figure.svg}</div>{_table(figure.head, figure.rows)}</div></section>'
    )


def _winners(analysis: Analysis) -> str:
    if not analysis.winners:
        return ""
    rows = [
        (WINNER_WORDS[item.winner], str(item.items), str(item.right), percent(item.right / item.items))
        for item in analysis.winners
    ]
    head = ("Answer came from", "Items", "Right", "Share")
    return f"<h2>Which model won, and how often rightly</h2><section>{_table(head, rows)}</section>"


def _items(title: str, analysis: Analysis, places: np.ndarray, pictures: dict[int, bytes | None]) -> str:
    if not len(places):
        return f"<h2>{title}</h2><section><p>None.</p></section>"
    shown = places[:_SHOWN].tolist()
    more = f"<p>and {len(places) - len(shown):,} more</p>" if len(places) > len(shown) else ""
    cards = "".join(_card(analysis, place, pictures.get(place)) for place in shown)
    return f'<h2>{title}</h2><section><div class="items">{cards}</div>{more}</section>'


def _card(analysis: Analysis, place: int, picture: bytes | None) -> str:
    item, one = analysis.scored.items[place], analysis.in_use
    code = int(one.answers[place])
    seen = (
        f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}">'
        if picture is not None
        else '<div class="none"></div>'
    )
    answer = f"{BINS[code]} {one.confidences[place]:.2f}" if code >= 0 else "no answer"
    name = _safe(item.caption or Path(item.path).name or "(no caption)")
    return f'<div class="item">{seen}<b>{name}</b><br>said {answer}<br>is {BINS[item.label]}</div>'


def _leaks(analysis: Analysis) -> str:
    if not len(analysis.leaks):
        return ""
    captions = sorted({analysis.scored.items[place].caption for place in analysis.leaks.tolist()})
    listed = ", ".join(_safe(caption) for caption in captions[:60])
    more = f" and {len(captions) - 60:,} more" if len(captions) > 60 else ""
    return f"<h2>Captions that the text model learned</h2><section><p>{listed}{more}</p></section>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{_safe(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
