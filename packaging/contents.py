"""What a package is made of: each part with version, licence and the licence's text. Read from contents.json."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from trimming import is_from_the_system

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_TEXTS = re.compile(r"(licen[cs]e|copying|notice|thirdparty|copyright)", re.IGNORECASE)
# Wheels that name their licence without its text.
_APACHE, _LGPL, _GPL = ROOT / "LICENSE", HERE / "licences" / "LGPL-3.0.txt", HERE / "licences" / "GPL-3.0.txt"
_MISSING = {
    "tokenizers": (_APACHE,),
    "pyside6": (_LGPL, _GPL),
    "shiboken6": (_LGPL, _GPL),
    "transformers": (_APACHE,),
}
# What a wheel's own texts leave out: the licences of the libraries in it, and what was done about one of them.
_BUNDLED = {
    "pillow_heif": ("BSD-3-Clause AND LGPL-3.0-or-later", (HERE / "licences" / "NOTE-heif.txt", _LGPL, _GPL))
}


@dataclass
class Part:
    """A library, a runtime or a model in the package. `kind`: pypi, deb, generic or model. `size` in bytes."""

    name: str
    version: str
    kind: str
    licence: str = ""
    texts: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    sha256: str = ""


def parts_of(contents: Path) -> list[Part]:
    """The parts behind the files and modules of a build, by name."""
    told = json.loads(contents.read_text())
    sources = [(source, 0) for _name, source in told["modules"]]
    sources += [(source, _size(source)) for _name, source, kind in told["files"] if kind != "SYMLINK"]
    found: dict[str, Part] = {}
    for source, size in sources:
        for part in _owner(source):
            known = found.setdefault(part.name.lower(), part)
            known.size += size
    for part in (_python(), _of(distribution("pyinstaller")), *_models()):
        found.setdefault(part.name.lower(), part)
    return sorted(found.values(), key=lambda part: part.name.lower())


def third_party_texts(parts: list[Part]) -> str:
    """One text with every licence; texts that several parts share are printed once."""
    blocks: dict[str, list[str]] = {}
    for part in parts:
        for title, text in part.texts:
            blocks.setdefault(text.strip(), []).append(f"{part.name} {part.version} ({title})")
    rule = "=" * 78
    listed = "\n".join(f"{part.name} {part.version}: {part.licence or 'see below'}" for part in parts)
    body = "".join(
        f"\n{rule}\n" + "\n".join(names) + f"\n{rule}\n\n{text}\n" for text, names in blocks.items()
    )
    return f"Third parties' work in this package, and its licences\n\n{listed}\n{body}"


def _size(source: str) -> int:
    path = Path(source)
    return path.stat().st_size if path.is_file() else 0


def _owner(source: str) -> Iterator[Part]:
    """The part that a file came from; nothing for our own files."""
    path = str(Path(source).resolve()) if source and source not in ("-",) else ""
    if path in _files():
        owner = _files()[path]
        if owner.lower() != "gcdesk":
            yield _named(owner)
    elif is_from_the_system(path):
        package = _debian_package(path)
        if package:
            yield package


@lru_cache
def _files() -> dict[str, str]:
    """Every file of every installed package, with the package's name."""
    table = {}
    for one in distributions():
        for file in one.files or []:
            table[str(Path(str(one.locate_file(file))).resolve())] = one.metadata["Name"]
    return table


@lru_cache
def _named(name: str) -> Part:
    """Once for each name: reading a wheel's list of files takes long, and torch alone has 15,000 of them."""
    return _of(distribution(name))


def _of(found: Distribution) -> Part:
    name, version = found.metadata["Name"], found.version
    texts = [
        (file.name, Path(str(found.locate_file(file))).read_text(encoding="utf-8", errors="replace"))
        for file in found.files or []
        if _TEXTS.search(file.name) and file.suffix.lower() in ("", ".txt", ".md", ".rst")
    ]
    if not texts:
        files = next((files for stem, files in _MISSING.items() if name.lower().startswith(stem)), ())
        texts = [(file.name, file.read_text(encoding="utf-8")) for file in files]
    licence, more = _BUNDLED.get(name, (_licence(found), ()))
    texts = sorted(texts) + [(file.name, file.read_text(encoding="utf-8")) for file in more]
    return Part(name, version, "pypi", licence, texts)


def _licence(found: Distribution) -> str:
    for key in ("License-Expression", "License"):
        text = (found.metadata[key] or "").strip() if key in found.metadata else ""
        if text and "\n" not in text and len(text) < 200:
            return text
    for line in found.metadata.get_all("Classifier") or []:
        if line.startswith("License ::"):
            return str(line).rpartition("::")[2].strip()
    return ""


@lru_cache
def _debian_package(path: str) -> Part | None:
    """The Debian package of a system library; None where the system is no Debian."""
    for candidate in (path, path.removeprefix("/usr")):
        try:
            asked = subprocess.run(
                ["dpkg-query", "-S", candidate], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            return None
        if asked.returncode == 0:
            name = asked.stdout.partition(": ")[0].partition(":")[0]
            return _debian_part(name)
    return None


@lru_cache
def _debian_part(name: str) -> Part:
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True, check=True
    )
    copyright_file = Path("/usr/share/doc") / name / "copyright"
    text = copyright_file.read_text(encoding="utf-8", errors="replace") if copyright_file.is_file() else ""
    licences = list(dict.fromkeys(re.findall(r"^License:\s*(\S.*)$", text, re.MULTILINE)))
    licence = ", ".join(licences[:4]) if licences else ""
    return Part(name, asked.stdout, "deb", licence, [("copyright", text)] if text else [])


def _python() -> Part:
    folder = Path(sys.base_prefix)
    places = [folder / "LICENSE.txt", folder / "lib" / f"python3.{sys.version_info.minor}" / "LICENSE.txt"]
    texts = [("LICENSE.txt", place.read_text(encoding="utf-8")) for place in places if place.is_file()]
    return Part("CPython", platform.python_version(), "generic", "PSF-2.0", texts[:1])


def _models() -> Iterator[Part]:
    for card in sorted((ROOT / "resources" / "models").glob("*/model.json")):
        told = json.loads(card.read_text())
        sha256 = told.get("weights_sha256", "")
        size = (card.parent / "weights.safetensors").stat().st_size
        yield Part(card.parent.stem, sha256[:12], "model", "Apache-2.0", [], size, sha256)
