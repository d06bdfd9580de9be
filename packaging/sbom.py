"""The software bill of materials (CycloneDX 1.6, JSON), written with the CycloneDX project's own library."""

from __future__ import annotations

import datetime
import json
import uuid
from pathlib import Path

from contents import Part
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

_NAMESPACE = uuid.UUID("5f0c7d3e-6d0a-4a52-8f6e-0d6f3b0f9b11")


def write_sbom(parts: list[Part], stamp: dict[str, str], epoch: int, target: Path) -> None:
    """Write the bill. The same parts and commit give the same bytes."""
    ours = Component(
        name=f"gcdesk-{stamp['flavour']}",
        version=stamp["version"],
        type=ComponentType.APPLICATION,
        bom_ref="gcdesk",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        properties=[Property(name="gcdesk:commit", value=stamp["commit"])],
    )
    bom = Bom(components=[_component(part) for part in parts])
    bom.metadata.component = ours
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(epoch, tz=datetime.UTC)
    bom.serial_number = uuid.uuid5(_NAMESPACE, json.dumps([stamp, [(p.name, p.version) for p in parts]]))
    bom.register_dependency(ours, bom.components)
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n", encoding="utf-8")


def _component(part: Part) -> Component:
    kind = ComponentType.MACHINE_LEARNING_MODEL if part.kind == "model" else ComponentType.LIBRARY
    licences = [LicenseFactory().make_from_string(part.licence)] if part.licence else []
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else []
    ref = f"{part.kind}:{part.name}@{part.version}"
    return Component(
        name=part.name,
        version=part.version,
        type=kind,
        bom_ref=ref,
        purl=_purl(part),
        licenses=licences,
        hashes=hashes,
    )


def _purl(part: Part) -> PackageURL | None:
    if part.kind == "pypi":
        return PackageURL("pypi", name=part.name.lower(), version=part.version)
    if part.kind == "deb":
        return PackageURL("deb", "debian", part.name, part.version)
    return None


def problems(file: Path) -> str:
    """What the CycloneDX schema says against the file, "" for nothing. Needs the package jsonschema."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read_text(encoding="utf-8"))
    return "" if error is None else str(error)
