"""Site profiles (slurm/sites/*.toml): what a cluster is called, what a job may ask for, where its photos lie."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from gcdesk.cluster.errors import SiteError
from gcdesk.config.resources import slurm_path

KINDS = ("venv", "conda", "python")
# All of these end up in #SBATCH lines or shell words: no spaces, no quotes, nothing that is expanded.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]*")
_MEMORY = re.compile(r"(\d+)\s*([KMGT])B?", re.IGNORECASE)
_TIME = re.compile(r"(?:(\d+)-)?(\d{1,2}):(\d{2}):(\d{2})")
_MEGABYTES = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}


@dataclass(frozen=True)
class Environment:
    """Where Python is: a venv or conda environment that setup_env.sh makes, or an interpreter as it is.

    path: absolute, or beginning with `~/`.
    """

    kind: str = "venv"
    path: str = "~/gcdesk-env"


@dataclass(frozen=True)
class Course:
    """The folders of a course's photos on the cluster."""

    title: str
    train: str
    val: str
    test: str = ""


@dataclass(frozen=True)
class Site:
    """A cluster. gres: the word before the number of GPUs, "" = none; memory and time as sbatch reads them."""

    name: str
    login: str
    partition: str
    gres: str = "gpu"
    gpus: int = 1
    cpus: int = 2
    memory: str = "16GB"
    time: str = "0-11:00:00"
    requeues: int = 3
    account: str = ""
    modules: tuple[str, ...] = ()
    environment: Environment = field(default_factory=Environment)
    courses: Mapping[str, Course] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("login", "partition"):
            check_word(name, getattr(self, name))
        for name in ("gres", "account"):
            if getattr(self, name):
                check_word(name, getattr(self, name))
        for module in self.modules:
            check_word("modules", module)
        memory_mb(self.memory)
        seconds(self.time)
        for name, least, most in (("gpus", 1, 16), ("cpus", 1, 256), ("requeues", 0, 100)):
            if not least <= getattr(self, name) <= most:
                raise SiteError(f"{name} is {getattr(self, name)}: it must be {least} to {most}.")
        if self.environment.kind not in KINDS:
            raise SiteError(f"environment.kind is {self.environment.kind!r}: it must be {', '.join(KINDS)}.")
        if not self.environment.path.startswith(("/", "~/")) or "\n" in self.environment.path:
            raise SiteError(
                f"environment.path is {self.environment.path!r}: it must begin with / or ~/ (your home)."
            )


def check_word(name: str, value: object) -> str:
    """A value that is safe in a script. Raises SiteError."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise SiteError(f"{name} is {value!r}: only letters, digits and . _ : / + - are allowed there.")
    return value


def memory_mb(text: str) -> int:
    """`16GB` as megabytes. Raises SiteError."""
    result = _MEMORY.fullmatch(text.strip())
    if not result or int(result[1]) == 0:
        raise SiteError(f"memory is {text!r}: write it as 16GB or 4000MB.")
    return max(1, round(int(result[1]) * _MEGABYTES[result[2].upper()]))


def seconds(text: str) -> int:
    """`D-HH:MM:SS` or `HH:MM:SS` as seconds. Raises SiteError."""
    result = _TIME.fullmatch(text.strip())
    if not result:
        raise SiteError(f"time is {text!r}: write it as days-hours:minutes:seconds, like 0-11:00:00.")
    days, hours, minutes, secs = (int(part or 0) for part in result.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + secs
    if total <= 180:
        raise SiteError("time must be more than three minutes: two of them are kept for saving.")
    return total


def site_names() -> list[str]:
    """The profiles that ship with gcdesk, TALC first."""
    return sorted(
        (p.stem for p in slurm_path("sites").glob("*.toml")), key=lambda name: (name != "talc", name)
    )


def load_site(name_or_file: str) -> Site:
    """A shipped profile by its name, or any by its path. Raises SiteError."""
    file = Path(name_or_file)
    if file.suffix != ".toml":
        if name_or_file not in site_names():
            raise SiteError(
                f"There is no site {name_or_file!r}: use {', '.join(site_names())}, or the path of a .toml file."
            )
        file = slurm_path("sites", f"{name_or_file}.toml")
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteError(f"The site profile {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(f"The site profile {file.name} is not a TOML file: {error}.") from error
    try:
        return site_of(values)
    except SiteError as error:
        raise SiteError(f"The site profile {file.name}: {error}") from error


def site_of(values: Mapping[str, Any]) -> Site:
    """Check the content of a profile, key by key. Raises SiteError naming the keys there are."""
    values = dict(values)
    environment = _made(Environment, values.pop("environment", {}), "environment")
    courses = values.pop("courses", {})
    if not isinstance(courses, Mapping):
        raise SiteError("courses must be a table of tables.")
    modules = values.pop("modules", [])
    if not isinstance(modules, list):
        raise SiteError("modules must be a list of names.")
    result = {name: _made(Course, course, f"courses.{name}") for name, course in courses.items()}
    site: Site = _made(
        Site, {**values, "modules": tuple(modules), "environment": environment, "courses": result}, "site"
    )
    return site


def _made(cls: type[Any], values: object, where: str) -> Any:
    if not isinstance(values, Mapping):
        raise SiteError(f"{where} must be a table.")
    known = {f.name: f for f in fields(cls)}
    for name, value in values.items():
        if name not in known:
            raise SiteError(f"{where}: unknown key {name!r}; there are {', '.join(known)}.")
        kind = {"str": str, "int": int}.get(str(known[name].type))
        if kind is not None and type(value) is not kind:
            raise SiteError(f"{where}: {name} is {value!r}, which is no {kind.__name__}.")
    for name, item in known.items():
        if name not in values and item.default is MISSING and item.default_factory is MISSING:
            raise SiteError(f"{where}: {name} is missing.")
    return cls(**values)
