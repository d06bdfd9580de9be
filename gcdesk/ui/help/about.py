"""Which versions are installed and under which licences. No Qt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from gcdesk.config.build import build
from gcdesk.config.resources import resource_path

_OURS = "gcdesk"
# torch and its kin are there only with the extra for training.
_OPTIONAL = ("torch", "torchvision", "transformers")
_LONGEST = 48  # characters of a licence's name; some packages put the whole text there


@dataclass(frozen=True)
class Part:
    """An installed package."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True)
class About:
    """`version` with flavour and commit where they are known. `notice`: what is shipped and where it comes from; of a
    package the texts of all its licences too.
    """

    version: str
    parts: tuple[Part, ...]
    notice: str


def read_about() -> About:
    """Read it from the package's bill of materials, or the installed packages; slow for the window's thread."""
    bill = resource_path("licences", "sbom.cdx.json")
    if bill.is_file():
        return _read_bill(bill)
    ours = distribution(_OURS)
    needed = [
        re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0] for line in ours.requires or [] if "extra" not in line
    ]
    parts = [part for name in (*needed, *_OPTIONAL) if (part := _part(name)) is not None]
    return About(str(build()), tuple(sorted(parts, key=lambda part: part.name.lower())), _notice(ours))


def _read_bill(bill: Path) -> About:
    """What packaging/freeze.py wrote beside the program."""
    bill_of_materials = json.loads(bill.read_text(encoding="utf-8"))
    parts = tuple(
        Part(item["name"], item.get("version", ""), _licence_in(item.get("licenses", [])))
        for item in bill_of_materials["components"]
    )
    texts = bill.with_name("third-party.txt").read_text(encoding="utf-8")
    return About(str(build()), parts, f"{_notice(distribution(_OURS))}\n\n{texts}")


def _licence_in(entries: list[dict[str, object]]) -> str:
    """CycloneDX: an expression, or a licence with an id or a name."""
    for entry in entries:
        licence = entry.get("license")
        words = entry.get("expression") or (
            licence.get("id") or licence.get("name") if isinstance(licence, dict) else ""
        )
        if words:
            text = str(words)
            return text if len(text) <= _LONGEST else _first_of(text)
    return "see below"


def _part(name: str) -> Part | None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return Part(found.metadata["Name"], found.version, _licence(found))


def _licence(found: Distribution) -> str:
    """A name for the licence: the expression, else the short field, else the classifier."""
    for field in ("License-Expression", "License"):
        text = (found.metadata[field] or "").strip() if field in found.metadata else ""
        if text and "\n" not in text:
            return text if len(text) <= _LONGEST else _first_of(text)
    for line in found.metadata.get_all("Classifier") or []:
        if line.startswith("License ::"):
            return str(line).rpartition("::")[2].strip()
    return "see the package"


def _first_of(text: str) -> str:
    """`Apache-2.0 AND BSD-3-Clause AND ...` in short."""
    names = list(dict.fromkeys(re.split(r" (?:AND|OR) ", text)))
    shown: list[str] = []
    for name in names:
        if len(", ".join([*shown, name])) > _LONGEST - 12:
            break
        shown.append(name)
    return f"{', '.join(shown)} and {len(names) - len(shown)} more" if shown else text[:_LONGEST]


def _notice(ours: Distribution) -> str:
    """From the source tree, where there is one, else from the installed package."""
    beside = Path(__file__).resolve().parents[2] / "NOTICE"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    return ours.read_text("licenses/NOTICE") or ours.read_text("NOTICE") or ""
