"""What a drop or the clipboard holds: paths, a picture, or a reason why neither."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QUrl
from PySide6.QtGui import QImage, QImageWriter

from gcdesk.config.thresholds import PHOTO_MAX_BYTES

# A picture in the form that its program gives; the worker decodes it, so nothing of it is read here.
_PICTURES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
}
_WEB = ("http", "https", "ftp")
_MANY = 100_000  # characters of a text that is looked at for paths


@dataclass(frozen=True)
class Picture:
    """A picture without a file: its bytes as they came, or pixels that are still to be written."""

    data: bytes | QImage
    suffix: str

    def encoded(self) -> bytes:
        """The file's content. Slow for pixels: call it off the window's thread."""
        if isinstance(self.data, bytes):
            return self.data
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"png")).write(self.data)
        return bytes(buffer.data().data())


@dataclass(frozen=True)
class Incoming:
    """Paths to open, or a picture, or a refusal for the operator."""

    paths: tuple[str, ...] = ()
    picture: Picture | None = None
    refusal: str = ""


def may_hold_photos(mime: QMimeData) -> bool:
    """Whether a drag is worth being dropped: quick, because the pointer waits. A web address may be dropped
    too, so that its refusal can be said.
    """
    return mime.hasUrls() or _has_picture(mime) or bool(_paths_in(mime))


def read_mime(mime: QMimeData) -> Incoming:
    """Files first, then a picture's own bytes, then pixels."""
    urls = mime.urls() if mime.hasUrls() else []
    local = tuple(url.toLocalFile() for url in urls if url.isLocalFile())
    if local:
        return Incoming(local)
    picture = _picture(mime) or _picture_in_address(urls)
    if picture is not None:
        if isinstance(picture.data, bytes) and len(picture.data) > PHOTO_MAX_BYTES:
            return Incoming(refusal=f"This picture is larger than {PHOTO_MAX_BYTES >> 20} MB.")
        return Incoming(picture=picture)
    if urls:
        return Incoming(refusal=_refuse(urls[0]))
    paths = _paths_in(mime)
    if paths:
        return Incoming(tuple(paths))
    words = QUrl(mime.text().strip()) if mime.hasText() and len(mime.text()) < 2000 else QUrl()
    if words.isValid() and words.scheme() in _WEB:
        return Incoming(refusal=_refuse(words))
    return Incoming(refusal="There is no picture and no file in this.")


def _refuse(url: QUrl) -> str:
    if url.scheme() in _WEB:
        return (
            f"This is only a web address ({url.host()}), not a picture: save the picture on this computer,"
            " then drop the file."
        )
    return f"{url.scheme()}: places cannot be opened directly: copy the photos to this computer first."


def _has_picture(mime: QMimeData) -> bool:
    return mime.hasImage() or any(mime.hasFormat(name) for name in _PICTURES)


def _picture(mime: QMimeData) -> Picture | None:
    for name, suffix in _PICTURES.items():
        if mime.hasFormat(name):
            data = bytes(mime.data(name).data())
            if data:
                return Picture(data, suffix)
    if mime.hasImage():
        pixels = mime.imageData()
        if isinstance(pixels, QImage) and not pixels.isNull():
            return Picture(pixels, ".png")
    return None


def _picture_in_address(urls: list[QUrl]) -> Picture | None:
    """A `data:` address carries the picture itself; search engines use them for small ones."""
    for url in urls:
        if url.scheme() != "data":
            continue
        head, _comma, body = bytes(url.toEncoded().data()).decode("ascii", "replace")[5:].partition(",")
        kind, *options = head.split(";")
        if kind in _PICTURES:
            raw = unquote_to_bytes(body)
            data = _from_base64(raw) if "base64" in options else raw
            if data:
                return Picture(data, _PICTURES[kind])
    return None


def _from_base64(raw: bytes) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode(raw)
    except binascii.Error:
        return b""


def _paths_in(mime: QMimeData) -> list[str]:
    """The paths of a text that holds nothing else: one a line, as file managers and terminals copy them."""
    text = mime.text() if mime.hasText() else ""
    if not text or len(text) > _MANY:
        return []
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        path = _path_of(line)
        if path is None:
            return []
        found.append(path)
    return found


def _path_of(line: str) -> str | None:
    if len(line) > 1 and line[0] == line[-1] and line[0] in "\"'":
        line = line[1:-1]
    if line.startswith("file:"):
        return QUrl(line).toLocalFile() or None
    if line.startswith("~"):
        line = str(Path(line).expanduser())
    return line if os.path.isabs(line) and "\0" not in line else None
