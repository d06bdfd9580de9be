"""From a photo file to RGB pixels, or to the reason why not. Nothing half-decoded ever comes out.

The file is opened once, read whole within a cap, and told apart by its content, never by its name. Only the
formats of `_FORMATS` are handed to Pillow, each to its own decoder. Safe to call from several threads.
"""

from __future__ import annotations

import importlib
import io
import math
import os
import stat
import struct
import threading
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from gcdesk.config.file_names import is_too_long
from gcdesk.config.thresholds import JPEG_MAX_PIXELS, PHOTO_LARGE_PIXELS, PHOTO_MAX_BYTES, PHOTO_MAX_PIXELS
from gcdesk.engine.errors import PhotoError, PhotoProblem
from gcdesk.engine.os_errors import os_reason
from gcdesk.engine.photos.formats import PhotoFormat, is_cut_off, refuse_deep_jpeg, sniff, turns_itself
from gcdesk.engine.photos.jpeg import DAMAGE, load_checked
from gcdesk.engine.photos.jpeg_structure import frame_of
from gcdesk.engine.photos.limits import refuse_costly, refuse_shape
from gcdesk.engine.photos.raw import raw_preview
from gcdesk.engine.photos.tiff import pages_of, photo_frame

# Pillow's decoders beside those that it always imports; each is imported when its first photo comes.
_PLUGINS = {
    PhotoFormat.PNG: "PIL.PngImagePlugin",
    PhotoFormat.JPEG: "PIL.JpegImagePlugin",
    PhotoFormat.WEBP: "PIL.WebPImagePlugin",
    PhotoFormat.TIFF: "PIL.TiffImagePlugin",
    PhotoFormat.GIF: "PIL.GifImagePlugin",
    PhotoFormat.BMP: "PIL.BmpImagePlugin",
    PhotoFormat.AVIF: "PIL.AvifImagePlugin",
}
# EXIF orientation (tag 0x0112) to what puts the photo upright; 1 is upright already.
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What a decoder says of a file that ends too early; the rest of what it says is damage.
_SIGNS_OF_A_CUT = ("truncated", "unexpected end", "premature", "end of file", "not enough data", "eof")

_CHUNK = 1024 * 1024
_LEAST_OF_HUGE = 1500  # px of the shortest side that a JPEG beyond Pillow's limit is decoded for, at most
_TOO_MANY = (Image.DecompressionBombError, Image.DecompressionBombWarning)

_heif_lock = threading.Lock()
_heif_ready = False
# One at a time of those photos that must be decoded at full size and are very large.
_large_lock = threading.Lock()


def decode_photo(path: Path | str, target: int, data: bytes | None = None) -> Image.Image:
    """Decode a photo: RGB, upright (EXIF), transparent parts over white, the first frame of several.

    target: the px that its shortest side will be resized to. A JPEG is decoded at the smallest DCT scale
    (1/1 to 1/8) whose shortest side is still at least twice that, another photo of more than
    PHOTO_LARGE_PIXELS is shrunk to no less than that, and the rest come at full size; of a raw file the JPEG comes
    that its camera put into it. data: the file's bytes, where `read_photo` was called already. What is wrong with a
    photo that can be read nevertheless is in `info["damage"]`, a sentence. Raises PhotoError for the rest.
    """
    data = read_photo(path) if data is None else data
    kind = sniff(data)
    if kind is PhotoFormat.RAW:
        return _decoded_preview(data, target)
    refuse_costly(data, kind)
    if is_cut_off(data, kind):
        raise PhotoError(PhotoProblem.TRUNCATED, "The photo is cut off: the end of its file is missing.")
    if kind is PhotoFormat.JPEG:
        refuse_deep_jpeg(data)
    try:
        return _decoded(data, kind, 2 * max(target, 1))
    except PhotoError:
        raise
    except Exception as error:  # Decoders raise whatever they stumble on: all of it becomes a reason.
        _raise_reason(error)


def _decoded_preview(data: bytes, target: int) -> Image.Image:
    """Of a raw file, upright."""
    preview = raw_preview(data)
    if preview is None:
        raise PhotoError(
            PhotoProblem.UNSUPPORTED,
            "This is a raw camera file without a preview in full size, which cannot be read; save it as JPEG.",
        )
    image = decode_photo("", target, preview.data)
    turn = _UPRIGHT.get(preview.orientation)
    if turn is None or _says_orientation(preview.data):
        return image
    return image.transpose(turn)


def _says_orientation(jpeg: bytes) -> bool:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        return _orientation(image, jpeg, PhotoFormat.JPEG) != 1


def read_photo(path: Path | str, step: Callable[[], None] = lambda: None) -> bytes:
    """The file's bytes; `step` is called after each part. Raises PhotoError for what is no readable, non-empty file
    below PHOTO_MAX_BYTES.
    """
    path = Path(path)
    try:
        # A pipe or a device is recognised before it is opened: opening it would wait for its other end.
        _require_file(path.stat().st_mode)
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            _require_file(status.st_mode)
            if status.st_size > PHOTO_MAX_BYTES:
                size, most = status.st_size // 10**6, PHOTO_MAX_BYTES // 10**6
                raise PhotoError(
                    PhotoProblem.TOO_LARGE, f"The file is too large: {size:,} MB, at most {most} MB are read."
                )
            parts: list[bytes] = []
            left = status.st_size
            # Asking for more than is left would make room for it.
            while left and (part := file.read(min(_CHUNK, left))):
                parts.append(part)
                left -= len(part)
                step()
            data = b"".join(parts)
    except (FileNotFoundError, NotADirectoryError) as error:
        if is_too_long(str(path)):  # Windows says no more than that it is not there
            raise PhotoError(
                PhotoProblem.UNREADABLE, f"The file cannot be read: {os_reason(error)}."
            ) from error
        raise PhotoError(PhotoProblem.MISSING, "There is no such file; it may have been moved.") from None
    except PermissionError:
        raise PhotoError(
            PhotoProblem.NO_PERMISSION, "You have no permission to read this file; ask its owner for it."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise PhotoError(PhotoProblem.UNREADABLE, f"The file cannot be read: {reason}.") from error
    if not data:
        raise PhotoError(PhotoProblem.EMPTY_FILE, "The file is empty (0 bytes); copy it again.")
    return data


def _require_file(mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
        raise PhotoError(PhotoProblem.NOT_A_FILE, f"This is {what}, not a photo.")


def _decoded(data: bytes, kind: PhotoFormat, least: int) -> Image.Image:
    _prepare(kind)
    _bombs_are_errors()
    damage, deep = "", kind is PhotoFormat.PNG and data[24:25] == b"\x10"  # 16 bits, by its header
    with _opened(data, kind) as image:
        if kind is PhotoFormat.TIFF:
            deep = _to_photo_page(image, data)
        if kind is PhotoFormat.JPEG:
            image.draft(None, (min(least, _LEAST_OF_HUGE) if _is_huge(image.size) else least,) * 2)
        else:
            _check_pixels(image.size)
        large = image.width * image.height > PHOTO_LARGE_PIXELS
        with _large_lock if large else nullcontext():
            orientation = _orientation(image, data, kind)
            loaded: Image.Image = image
            if kind is PhotoFormat.JPEG:
                loaded, damage = load_checked(image, data)
            else:
                image.load()
            rgb = _to_rgb(loaded)
            if large:
                rgb = rgb.reduce(max(1, min(rgb.size) // least))
            if deep:
                rgb = _stretched(rgb)
    turn = _UPRIGHT.get(orientation)
    rgb = rgb.transpose(turn) if turn is not None else rgb
    if damage:
        rgb.info[DAMAGE] = damage
    return rgb


def _opened(data: bytes, kind: PhotoFormat) -> Image.Image:
    """The photo with its header read. A JPEG beyond Pillow's limit of pixels is opened past that limit's check: it is
    decoded at a reduced scale. Raises PhotoError.
    """
    frame = frame_of(data) if kind is PhotoFormat.JPEG else None
    if frame is None or not _is_huge(frame.size):
        return Image.open(io.BytesIO(data), formats=kind.pillow_names)
    # A progressive one is held whole in memory, whatever its scale.
    if frame.is_progressive or frame.size[0] * frame.size[1] > JPEG_MAX_PIXELS:
        _raise_too_many_pixels(f" ({frame.size[0]:,} x {frame.size[1]:,})")
    return JpegImageFile(io.BytesIO(data))


def _is_huge(size: tuple[int, int]) -> bool:
    return size[0] * size[1] > PHOTO_MAX_PIXELS


def _to_photo_page(image: Image.Image, data: bytes) -> bool:
    """Go to the page that is the photo; whether it has 16 bits a colour. Raises PhotoError where that is no page of its
    own.
    """
    pages = pages_of(data)
    frame = photo_frame(pages) if pages else 0
    if frame is None:
        raise PhotoError(
            PhotoProblem.UNSUPPORTED,
            "This is a TIFF whose photo lies behind a thumbnail and cannot be read; save it as JPEG.",
        )
    if frame:
        _check_pixels(next(page.size for page in pages if page.frame == frame))
        image.seek(frame)
    return any(page.frame == frame and page.is_deep for page in pages)


def photo_size(data: bytes, image: Image.Image) -> tuple[int, int]:
    """Width and height of a decoded photo as its file has them, upright."""
    size = image.size
    with suppress(PhotoError, OSError, ValueError, SyntaxError, *_TOO_MANY):
        kind = sniff(data)
        if kind is PhotoFormat.JPEG:
            frame = frame_of(data)
            size = frame.size if frame is not None else size
        elif kind is not PhotoFormat.RAW:
            with Image.open(io.BytesIO(data)) as header:
                size = header.size
    turned = (size[0] > size[1]) != (image.width > image.height)  # by its EXIF data
    return (size[1], size[0]) if turned else size


def _prepare(kind: PhotoFormat) -> None:
    """Import the decoder of a format. Raises PhotoError when this computer has none."""
    if kind is PhotoFormat.HEIF:
        _register_heif()
        return
    try:
        module = importlib.import_module(_PLUGINS[kind])
        if kind is PhotoFormat.JPEG:
            importlib.import_module("PIL.MpoImagePlugin")
    except ImportError:
        _raise_no_decoder(kind)
    if not getattr(module, "SUPPORTED", True):
        _raise_no_decoder(kind)


def _register_heif() -> None:
    global _heif_ready
    if _heif_ready:
        return
    with _heif_lock:
        if not _heif_ready:
            try:
                import pillow_heif
            except ImportError:
                _raise_no_decoder(PhotoFormat.HEIF)
            pillow_heif.register_heif_opener()
            _heif_ready = True


def _raise_no_decoder(kind: PhotoFormat) -> NoReturn:
    raise PhotoError(
        PhotoProblem.UNSUPPORTED, f"This computer cannot read {kind.value} photos; save it as JPEG."
    ) from None


def _bombs_are_errors() -> None:
    """Make Pillow's decompression bomb warning an error. `catch_warnings` would be another thread's as
    well.
    """
    rule = ("error", None, Image.DecompressionBombWarning, None, 0)
    if rule not in warnings.filters:
        warnings.simplefilter("error", Image.DecompressionBombWarning)


def _check_pixels(size: tuple[int, int]) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError(PhotoProblem.UNREADABLE, "The photo is damaged: it says that it has no pixels.")
    refuse_shape(width, height)
    if _is_huge(size):
        _raise_too_many_pixels(f" ({width:,} x {height:,})")


def _raise_too_many_pixels(size: str = "") -> NoReturn:
    raise PhotoError(
        PhotoProblem.TOO_LARGE,
        f"The photo has too many pixels{size}: at most {PHOTO_MAX_PIXELS // 10**6} million are read."
        " Save it smaller.",
    ) from None


def _orientation(image: Image.Image, data: bytes, kind: PhotoFormat) -> int:
    """The EXIF orientation that is still to be applied, 1 for none. Damaged EXIF data lose no photo."""
    if kind is PhotoFormat.TIFF:
        return 1  # Pillow has turned it already.
    if kind is PhotoFormat.HEIF:
        noted = image.info.get("original_orientation")
        return noted if isinstance(noted, int) and not turns_itself(data) else 1
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error):
        return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()  # Without the file and the codec's state.
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_as_bytes(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")


def _as_bytes(values: np.ndarray) -> np.ndarray:
    """Grey values (h, w) of 16 or 32 bits, or floating point, as 8 bits.

    A file says nowhere where its white is. Of 16 bits it is what cameras of 8, 10, 12, 14 or 16 bits reach, of 32 it
    is 1, 255 or 65,535, whichever the brightest pixel fits under, else the brightest pixel. What is no number counts
    as black.
    """
    if values.dtype.itemsize == 2:
        bits = max(8, min(16, 2 * math.ceil(int(values.max(initial=0)).bit_length() / 2)))
        return (values >> (bits - 8)).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    brightest = float(finite.max(initial=0.0))
    whites = (1.0, 255.0, 65_535.0) if values.dtype.kind == "f" else (255.0, 65_535.0)
    white = next((white for white in whites if brightest <= white), brightest)
    scaled: np.ndarray = np.clip(finite * (255.0 / white), 0, 255).round().astype(np.uint8)
    return scaled


def _stretched(rgb: Image.Image) -> Image.Image:
    """A photo of 16 bits of which Pillow took the upper 8, brightened where a camera filled only 10, 12 or 14."""
    bits = 2 * math.ceil(int(np.asarray(rgb).max(initial=0)).bit_length() / 2)  # of the upper 8
    if not 0 < bits < 8:
        return rgb
    white = (1 << bits) - 1
    return rgb.point([min(255, value * 255 // white) for value in range(256)] * 3)


def _raise_reason(error: Exception) -> NoReturn:
    """Say in words what a decoder raised."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        _raise_too_many_pixels()
    if isinstance(error, MemoryError):
        raise PhotoError(
            PhotoProblem.TOO_LARGE, "There is not enough memory for this photo; save it smaller."
        ) from error
    said = str(error).lower()
    if isinstance(error, EOFError) or any(sign in said for sign in _SIGNS_OF_A_CUT):
        raise PhotoError(
            PhotoProblem.TRUNCATED, "The photo is cut off: the end of its file is missing."
        ) from error
    if isinstance(error, UnidentifiedImageError):
        raise PhotoError(
            PhotoProblem.UNREADABLE, "The photo is damaged: the beginning of its file makes no sense."
        ) from error
    raise PhotoError(PhotoProblem.UNREADABLE, "The photo is damaged and cannot be decoded.") from error
