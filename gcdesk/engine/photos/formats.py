"""Telling photo formats apart by their first bytes, and files that end before their format says they do."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal, NoReturn

from gcdesk.engine.errors import PhotoError, PhotoProblem
from gcdesk.engine.photos.jpeg_structure import frame_of, has_end
from gcdesk.engine.photos.tiff import is_raw, pages_of


class PhotoFormat(StrEnum):
    """What can be decoded, by the name that a person knows."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    HEIF = "HEIC"
    AVIF = "AVIF"
    RAW = "raw camera file"

    @property
    def pillow_names(self) -> tuple[str, ...]:
        """The only decoders that Pillow may try. A JPEG may hold several pictures (MPO): Pillow's own finds
        out.
        """
        return ("JPEG",) if self is PhotoFormat.JPEG else (self.name,)


_STARTS = {
    b"\xff\xd8\xff": PhotoFormat.JPEG,
    b"\x89PNG\r\n\x1a\n": PhotoFormat.PNG,
    b"GIF87a": PhotoFormat.GIF,
    b"GIF89a": PhotoFormat.GIF,
    b"BM": PhotoFormat.BMP,
    b"II*\x00": PhotoFormat.TIFF,
    b"MM\x00*": PhotoFormat.TIFF,
    b"II+\x00": PhotoFormat.TIFF,
    b"MM\x00+": PhotoFormat.TIFF,
}
# Brands of the "ftyp" box (ISO/IEC 14496-12); mif1 and msf1 are shared, the compatible brands decide there.
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
)
# What people take for photos and what it is called when we say that we cannot read it.
_FOREIGN = {
    b"%PDF": "a PDF document",
    b"8BPS": "a Photoshop file",
    b"\xff\x0a": "a JPEG XL photo",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL photo",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 photo",
    b"<svg": "an SVG drawing",
    b"PK\x03\x04": "a zip archive",
}
# An interrupted copy may have its full length already, with zeros for what did not come. Compressed pixels
# never end like this.
_ZERO_TAIL = bytes(1024)
# How raw files begin that are no TIFF by their first bytes: Fujifilm, Panasonic, Olympus, Sigma, Minolta, Canon's CRW.
_RAW_STARTS = (
    *(b"FUJIFILMCCD-RAW", b"IIU\x00", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\x00MRM"),
    b"II\x1a\x00\x00\x00HEAPCCDR",
)


def sniff(data: bytes) -> PhotoFormat:
    """The format of a file's bytes. Raises PhotoError for what is none that is read here."""
    for start, kind in _STARTS.items():
        if data.startswith(start):
            return PhotoFormat.RAW if kind is PhotoFormat.TIFF and is_raw(pages_of(data)) else kind
    if data.startswith(_RAW_STARTS):
        return PhotoFormat.RAW
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if data[4:8] == b"ftyp":
        return _boxed(data)
    for start, what in _FOREIGN.items():
        if data.startswith(start):
            _raise_unsupported(what)
    raise PhotoError(PhotoProblem.NOT_AN_IMAGE, "This is not a photo, whatever its name says.")


def _boxed(data: bytes) -> PhotoFormat:
    """HEIC, AVIF, a raw file, or a film: by the brands in the first box."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, end, 4)}
    if brands & _AVIF_BRANDS:
        return PhotoFormat.AVIF
    if brands & _HEIF_BRANDS:
        return PhotoFormat.HEIF
    if b"crx " in brands:  # CR3
        return PhotoFormat.RAW
    _raise_unsupported("a film")


def _raise_unsupported(what: str) -> NoReturn:
    raise PhotoError(PhotoProblem.UNSUPPORTED, f"This is {what}, which cannot be read; save it as JPEG.")


def is_cut_off(data: bytes, kind: PhotoFormat) -> bool:
    """Whether a file ends before its own structure says so. False also when the structure cannot be told.

    Needed because decoders are lenient here: one fills what is missing of a JPEG with grey when the tail of
    the file is zeros (a copy that was interrupted), another calls a short WebP or HEIC simply broken.
    """
    if kind is PhotoFormat.JPEG:
        return not has_end(data)
    if kind is PhotoFormat.WEBP:
        return int.from_bytes(data[4:8], "little") + 8 > len(data) or data.endswith(_ZERO_TAIL)
    if kind in (PhotoFormat.HEIF, PhotoFormat.AVIF):
        return _boxes_run_over(data) or data.endswith(_ZERO_TAIL)
    if kind is PhotoFormat.TIFF and data[2:4] in (b"*\x00", b"\x00*"):
        order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
        return int.from_bytes(data[4:8], order) >= len(data)  # where the list of its tags begins
    return False


def refuse_deep_jpeg(data: bytes) -> None:
    """Raise PhotoError for a JPEG of 12 bits a colour, which only medical and measuring cameras write."""
    frame = frame_of(data)
    if frame is not None and frame.bits != 8:
        _raise_unsupported(f"a JPEG with {frame.bits} bits a colour")


def turns_itself(data: bytes) -> bool:
    """Whether a HEIC file has a rotation or mirror box of its own, which its decoder applies.

    EXIF data repeat it for information then. Files without such a box and with an EXIF orientation exist
    too (photos turned on an iPhone or by a tag editor); there the orientation is meant.
    """
    metadata = next((data[at:end] for name, at, end in _boxes(data) if name == b"meta"), b"")
    return b"irot" in metadata or b"imir" in metadata


def _boxes_run_over(data: bytes) -> bool:
    return any(end > len(data) for _, _, end in _boxes(data))


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and end of the outermost boxes, as far as their lengths make sense."""
    at = 0
    while at + 8 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if length == 0:  # to the end of the file
            length = len(data) - at
        elif length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length < 8:
            return
        yield name, at, at + length
        at += length
