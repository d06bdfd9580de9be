"""More than 200 photos that are odd and sound, made on the fly, each with what it must look like.

The reference is made by a way of its own: the pixels that were saved (through another conversion where the format
changes them), Pillow's plain `open` and `convert` at full size where that is right, or arithmetic here. It is compared
with the engine's picture within a tolerance in grey levels (see tests/engine/photos/test_odd_photos.py).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

SIZE = (150, 110)
# Grey levels by which a lossless picture may differ, and one that its format has rounded.
EXACT, LOSSY = 1.0, 6.0


@dataclass(frozen=True)
class Odd:
    """A file, the upright RGB picture that it shows at full size, and the mean difference that is allowed."""

    name: str
    data: bytes
    shown: Image.Image
    tolerance: float = EXACT


def all_odd(photo: Image.Image) -> Iterator[Odd]:
    """Every odd photo, made from the given one."""
    pillow_heif.register_heif_opener()
    base = photo.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    for maker in (
        _modes, _jpegs, _cmyk, _orientations, _pngs, _sixteen_bit, _tiffs, _gifs, _webps, _heifs, _bmps, _profiles,
        _several, _trailing, _sizes,
    ):  # fmt: skip
        yield from maker(base)


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.copy().save(
        stream, form, **options
    )  # saving leaves marks on the image that the next format trips over
    return stream.getvalue()


def over_white(image: Image.Image) -> Image.Image:
    """Alpha over white by arithmetic."""
    pixels = np.asarray(image.convert("RGBA"), dtype=np.float64)
    alpha = pixels[..., 3:] / 255
    return Image.fromarray((pixels[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8))


def _with_alpha(base: Image.Image) -> Image.Image:
    slope = np.linspace(0, 255, base.width, dtype=np.uint8)[None, :].repeat(base.height, 0)
    image = base.convert("RGBA")
    image.putalpha(Image.fromarray(slope))
    return image


# Pillow cuts these down to 8 bits where a format has no more, and says nothing.
_WIDE = ("I", "F", "I;16")


def _modes(base: Image.Image) -> Iterator[Odd]:
    """Every mode that Pillow has, in every format that takes it."""
    grey = base.convert("L")
    alpha = _with_alpha(base)
    made: dict[str, Image.Image] = {
        "1": grey.convert("1"), "L": grey, "LA": alpha.convert("LA"), "P": base.quantize(32), "RGB": base,
        "PA": base.quantize(32).convert("PA"), "RGBA": alpha, "RGBX": base.convert("RGBX"),
        "RGBa": alpha.convert("RGBa"),
        "La": alpha.convert("LA").convert("La"), "CMYK": base.convert("CMYK"), "YCbCr": base.convert("YCbCr"),
        "LAB": ImageCms.profileToProfile(
            base, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        ),
        "HSV": base.convert("HSV"), "I": grey.convert("I"), "F": grey.convert("F"), "I;16": _sixteen(grey),
    }  # fmt: skip
    lossy = {"JPEG": LOSSY, "WEBP": LOSSY, "AVIF": LOSSY, "HEIF": LOSSY}
    for mode, image in made.items():
        for form in (
            ("PNG", "TIFF")
            if mode in _WIDE
            else ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "HEIF")
        ):
            if form in ("GIF", "BMP") and mode in ("LA", "RGBA"):
                continue  # the one keeps a whole alpha of one bit, the other one that nobody reads
            try:
                data = _saved(image, form)
            except (OSError, KeyError, ValueError):
                continue  # this format has no such mode
            yield Odd(f"mode {mode} as {form}", data, _mode_shown(mode, image, base), lossy.get(form, 3.0))


def _mode_shown(mode: str, image: Image.Image, base: Image.Image) -> Image.Image:
    if mode in _WIDE:
        return base.convert("L").convert("RGB")
    if mode in ("La", "RGBa"):
        return over_white(image.convert("LA" if mode == "La" else "RGBA"))
    if mode in ("LA", "RGBA", "PA"):
        return over_white(image)
    return base if mode in ("LAB", "HSV", "YCbCr") else image.convert("RGB")


def _sixteen(grey: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(grey, dtype=np.uint16) * 257)


def _jpegs(base: Image.Image) -> Iterator[Odd]:
    for progressive in (False, True):
        for subsampling in (0, 1, 2):
            for quality in (75, 95, 100):
                data = _saved(base, "JPEG", progressive=progressive, subsampling=subsampling, quality=quality)
                yield Odd(f"jpeg progressive={progressive} 4:{subsampling} q{quality}", data, base, LOSSY)
    for name, options in {
        "optimised": {"optimize": True}, "restart rows": {"restart_marker_rows": 1},
        "restart blocks": {"restart_marker_blocks": 3}, "rgb inside": {"keep_rgb": True},
        "comment": {"comment": "\0\xff" * 400}, "dpi 0": {"dpi": (0, 0)}, "smooth": {"smooth": 10},
    }.items():  # fmt: skip
        yield Odd(f"jpeg {name}", _saved(base, "JPEG", **({"quality": 90} | options)), base, LOSSY)
    plain = _saved(base, "JPEG", quality=92)
    for name, segment in {
        "empty app1": _segment(0xE1, b""), "exif that is none": _segment(0xE1, b"Exif\0\0garbage"),
        "half an exif": _segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"),
        "app13": _segment(0xED, b"Photoshop 3.0\0" * 9),
        "long comment": _segment(0xFE, b"\xff\xd9" * 30_000), "padding": b"\xff" * 40,
        "thumbnail": _segment(0xE1, b"Exif\0\0" + _saved(base.resize((16, 12)), "JPEG")),
    }.items():  # fmt: skip
        yield Odd(f"jpeg with {name}", plain[:2] + segment + plain[2:], base, LOSSY)
    yield Odd("jpeg without jfif", b"\xff\xd8" + plain[plain.index(b"\xff\xdb") :], base, LOSSY)


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _cmyk(base: Image.Image) -> Iterator[Odd]:
    """Inverted and with Adobe's mark, as Photoshop writes them."""
    ink = base.convert("CMYK")
    for quality in (85, 95):
        for progressive in (False, True):
            data = _saved(ink, "JPEG", quality=quality, progressive=progressive)
            assert b"Adobe" in data
            yield Odd(f"cmyk adobe inverted q{quality} progressive={progressive}", data, base, LOSSY)


_HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def _orientations(base: Image.Image) -> Iterator[Odd]:
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        for orientation in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535):
            held = base.transpose(_HELD[orientation]) if orientation in _HELD else base
            exif = Image.Exif()
            exif[0x0112] = orientation
            yield Odd(f"{form} orientation {orientation}", _saved(held, form, exif=exif), base, LOSSY)


def _pngs(base: Image.Image) -> Iterator[Odd]:
    alpha = _with_alpha(base)
    for colours in (2, 3, 16, 200, 256):
        palette = base.quantize(colours)
        yield Odd(f"png palette {colours}", _saved(palette, "PNG"), palette.convert("RGB"))
        clear = _saved(palette, "PNG", transparency=0)
        with Image.open(io.BytesIO(clear)) as opened:
            yield Odd(f"png palette {colours} transparent", clear, over_white(opened.convert("RGBA")))
    yield Odd(
        "png rgb with a clear colour", _saved(base, "PNG", transparency=base.getpixel((5, 5))), base, 3.0
    )
    yield Odd(
        "png grey with a clear shade",
        _saved(base.convert("L"), "PNG", transparency=7),
        base.convert("L").convert("RGB"),
        3.0,
    )
    for level in (0, 9):
        yield Odd(f"png compression {level}", _saved(base, "PNG", compress_level=level), base)
    for kind, image in {"rgb": base, "rgba": alpha, "grey": base.convert("L")}.items():
        shown = over_white(image) if kind == "rgba" else image.convert("RGB")
        yield Odd(f"png interlaced {kind}", _interlaced(image), shown)
    yield Odd("png with gamma", _with_chunk(base, b"gAMA", struct.pack(">I", 45455)), base)
    yield Odd("png with text", _with_chunk(base, b"tEXt", b"Comment\0" + b"x" * 9000), base)
    yield Odd("png with an unknown chunk", _with_chunk(base, b"abCd", bytes(100)), base)
    yield Odd("png in many parts", _in_parts(base), base)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _with_chunk(base: Image.Image, kind: bytes, body: bytes) -> bytes:
    data = _saved(base, "PNG")
    return data[:33] + _chunk(kind, body) + data[33:]


def _in_parts(base: Image.Image) -> bytes:
    """The pixels in IDAT chunks of 100 bytes."""
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(base)))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", *base.size, 8, 2, 0, 0, 0))
    parts = b"".join(_chunk(b"IDAT", packed[at : at + 100]) for at in range(0, len(packed), 100))
    return b"\x89PNG\r\n\x1a\n" + header + parts + _chunk(b"IEND", b"")


def _interlaced(image: Image.Image) -> bytes:
    """Adam7 (PNG specification, 8.2), which Pillow reads and does not write."""
    pixels = np.asarray(image)
    rows = []
    for top, left, down, across in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
    ):  # fmt: skip
        part = pixels[top::down, left::across]
        rows += [b"\0" + row.tobytes() for row in part if row.size]
    kind = {"L": 0, "RGB": 2, "RGBA": 6}[image.mode]
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", *image.size, 8, kind, 0, 0, 1))
    return (
        b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(b"".join(rows))) + _chunk(b"IEND", b"")
    )


def _sixteen_bit(base: Image.Image) -> Iterator[Odd]:
    wide = np.asarray(base, dtype=np.uint16) * 257
    yield Odd("png 16 bit rgb", _wide_png(wide, 2), base)
    alpha = np.asarray(_with_alpha(base), dtype=np.uint16) * 257
    yield Odd("png 16 bit rgba", _wide_png(alpha, 6), over_white(_with_alpha(base)))
    grey = base.convert("L")
    yield Odd("png 16 bit grey", _saved(_sixteen(grey), "PNG"), grey.convert("RGB"))
    for order, name in (("<", "little"), (">", "big")):
        yield Odd(f"tiff 16 bit grey {name}", _grey_tiff(np.asarray(grey), order), grey.convert("RGB"))
    for white in (1.0, 255.0, 65535.0):
        values = np.asarray(grey, dtype=np.float32) / 255 * white
        values[0, 0] = white  # the brightest pixel says what white is
        shown = np.asarray(grey).copy()
        shown[0, 0] = 255
        yield Odd(
            f"tiff float to {white:g}",
            _saved(Image.fromarray(values), "TIFF"),
            Image.fromarray(shown).convert("RGB"),
        )
    for bits in (2, 4):
        few = np.asarray(grey) >> (8 - bits)
        shown = (few.astype(float) * 255 / (2**bits - 1)).round().astype(np.uint8)
        yield Odd(f"png {bits} bit grey", _few_bits_png(few, bits), Image.fromarray(shown).convert("RGB"))


def _wide_png(pixels: np.ndarray, kind: int) -> bytes:
    height, width = pixels.shape[:2]
    rows = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _few_bits_png(values: np.ndarray, bits: int) -> bytes:
    height, width = values.shape
    places = np.unpackbits(values.astype(np.uint8)[..., None], axis=2)[..., 8 - bits :].reshape(height, -1)
    packed = np.packbits(places, axis=1)
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in packed))
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _grey_tiff(values: np.ndarray, order: str) -> bytes:
    """An uncompressed 16-bit TIFF (TIFF 6.0) in either byte order."""
    height, width = values.shape
    pixels = (values.astype(np.uint16) * 257).astype(order + "u2").tobytes()
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
    ]
    tags += [(278, 4, height), (279, 4, len(pixels))]
    entries = b""
    for tag, kind, value in tags:
        number = struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
        entries += struct.pack(order + "HHI", tag, kind, 1) + number
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(pixels))
    return head + pixels + struct.pack(order + "H", len(tags)) + entries + bytes(4)


def _tiffs(base: Image.Image) -> Iterator[Odd]:
    grey, black = base.convert("L"), base.convert("L").convert("1")
    for kind in ("raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd", "jpeg"):
        for mode, image in {"rgb": base, "grey": grey, "rgba": _with_alpha(base)}.items():
            try:
                data = _saved(image, "TIFF", compression=kind)
            except (OSError, RuntimeError, ValueError):
                continue
            shown = over_white(image) if mode == "rgba" else image.convert("RGB")
            yield Odd(f"tiff {kind} {mode}", data, shown, LOSSY if kind == "jpeg" else EXACT)
    for kind in ("group3", "group4", "tiff_ccitt"):
        yield Odd(f"tiff fax {kind}", _saved(black, "TIFF", compression=kind), black.convert("RGB"))
    yield Odd("tiff big", _saved(base, "TIFF", big_tiff=True), base)
    yield Odd("tiff in strips", _saved(base, "TIFF", compression="tiff_lzw", strip_size=2000), base)


def _gifs(base: Image.Image) -> Iterator[Odd]:
    for colours in (2, 64, 256):
        palette = base.quantize(colours)
        for interlace in (0, 1):
            data = _saved(palette, "GIF", interlace=interlace)
            yield Odd(f"gif {colours} interlace={interlace}", data, palette.convert("RGB"))
    clear = _saved(base.quantize(32), "GIF", transparency=3)
    with Image.open(io.BytesIO(clear)) as opened:
        yield Odd("gif transparent", clear, over_white(opened.convert("RGBA")))


def _webps(base: Image.Image) -> Iterator[Odd]:
    alpha = _with_alpha(base)
    for name, image in {"rgb": base, "rgba": alpha}.items():
        shown = over_white(image)
        for method in (0, 6):
            yield Odd(
                f"webp {name} m{method}", _saved(image, "WEBP", quality=90, method=method), shown, LOSSY
            )
            lossless = _saved(image, "WEBP", lossless=True, exact=True, method=method)
            yield Odd(f"webp lossless {name} m{method}", lossless, shown)


def _heifs(base: Image.Image) -> Iterator[Odd]:
    for form in ("HEIF", "AVIF"):
        for chroma in ("420", "444"):
            option = {"chroma": chroma} if form == "HEIF" else {"subsampling": f"4:{chroma[1]}:{chroma[2]}"}
            yield Odd(f"{form} {chroma}", _saved(base, form, quality=95, **option), base, LOSSY)
        yield Odd(
            f"{form} alpha", _saved(_with_alpha(base), form, quality=95), over_white(_with_alpha(base)), LOSSY
        )


def _bmps(base: Image.Image) -> Iterator[Odd]:
    yield Odd("bmp rgb", _saved(base, "BMP"), base)
    yield Odd("bmp palette", _saved(base.quantize(200), "BMP"), base.quantize(200).convert("RGB"))
    pixels = np.asarray(base)
    rows = [row[:, ::-1].tobytes() + bytes(-3 * base.width % 4) for row in pixels]
    header = struct.pack("<IiiHHIIiiII", 40, base.width, -base.height, 1, 24, 0, 0, 0, 0, 0, 0)
    body = b"".join(rows)
    data = b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body
    yield Odd("bmp from the top", data, base)


def _profiles(base: Image.Image) -> Iterator[Odd]:
    """A colour profile is left aside, as the models' training did: the numbers count."""
    profiles = {
        "srgb": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "damaged": b"\0\0\1\0acsp" * 30,
        "huge": bytes(300_000),
    }
    for name, profile in profiles.items():
        for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
            try:
                data = _saved(base, form, icc_profile=profile)
            except (OSError, ValueError, RuntimeError):
                continue
            yield Odd(f"{form} profile {name}", data, base, LOSSY)


def _several(base: Image.Image) -> Iterator[Odd]:
    """The first of several pictures counts."""
    others = [base.transpose(Image.Transpose.ROTATE_180), base.convert("L").convert("RGB")]
    for form in ("MPO", "GIF", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        data = _saved(base, form, save_all=True, append_images=[one.copy() for one in others])
        yield Odd(f"several in {form}", data, base, 10.0 if form == "GIF" else LOSSY)


def _trailing(base: Image.Image) -> Iterator[Odd]:
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"):
        for name, behind in {"a byte": b"x", "zip": b"PK\x03\x04" + bytes(range(256)) * 8}.items():
            yield Odd(
                f"{form} and {name} behind it",
                _saved(base, form) + behind,
                base,
                10.0 if form == "GIF" else LOSSY,
            )
    film = _saved(base, "JPEG") + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 200
    yield Odd("jpeg and a film behind it", film, base, LOSSY)


def _sizes(base: Image.Image) -> Iterator[Odd]:
    for width, height in ((1, 1), (1, 300), (300, 1), (7, 5), (16, 16), (17, 33), (3000, 2), (2, 3000)):
        image = base.resize((width, height))
        for form in ("PNG", "BMP", "TIFF"):
            yield Odd(f"{form} of {width} x {height}", _saved(image, form), image)
    large = base.resize((6000, 4500), Image.Resampling.BILINEAR)
    for form in ("JPEG", "PNG"):
        options = {"quality": 90} if form == "JPEG" else {"compress_level": 1}
        yield Odd(f"{form} of 27 megapixels", _saved(large, form, **options), base, LOSSY)
