"""Scripts that run where no test of ours does: each is read by a linter, or by rules of its format written here."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from frozen_kit import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BENCH = ROOT / "packaging" / "windows" / "bench"
SCRIPTS = sorted(
    [
        *(ROOT / "packaging").rglob("*.sh"),
        ROOT / ".ci" / "run",
        *(BENCH / name for name in ("windows-check", "in-wine", "ci")),
    ]
)
INNO = ROOT / "packaging" / "windows" / "gcdesk.iss"


def shellcheck(*words: str, text: str | None = None) -> str:
    """What it says, "" for nothing."""
    if shutil.which("shellcheck") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("shellcheck is not installed")
    done = subprocess.run(
        ["shellcheck", *words], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    assert shellcheck(str(script)) == ""


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflow_is_what_github_expects(workflow: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", workflow],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_the_steps_of_the_workflow_are_sound_shell(workflow: Path) -> None:
    steps = [step for job in yaml.safe_load(workflow.read_text())["jobs"].values() for step in job["steps"]]
    posix = [s for s in steps if "run" in s and ("shell" in s or "Linux" in s.get("if", ""))]
    assert posix
    for step in posix:
        text = re.sub(r"\$\{\{[^}]*\}\}", "word", step["run"])
        assert shellcheck("--shell=bash", "-", text=text) == "", step["name"]


def test_what_the_workflow_names_is_there() -> None:
    for workflow in WORKFLOWS:
        for name in re.findall(r"\bpackaging/[\w./-]+\w", workflow.read_text()):
            assert (ROOT / name).exists(), name


def test_the_signing_rights_are_a_property_list() -> None:
    rights = plistlib.loads((ROOT / "packaging" / "macos" / "entitlements.plist").read_bytes())
    assert rights
    assert all(name.startswith("com.apple.security.cs.") and value is True for name, value in rights.items())


# --- Inno Setup, as its manual has it; only what gcdesk.iss uses

SECTIONS = {"Setup", "InstallDelete", "Files", "Icons", "Registry", "Run", "Code"}
DIRECTIVES = {
    "AppId", "AppName", "AppVersion", "AppVerName", "AppPublisher", "DefaultDirName", "DefaultGroupName",
    "DisableProgramGroupPage", "PrivilegesRequired", "ArchitecturesAllowed", "ArchitecturesInstallIn64BitMode",
    "MinVersion", "OutputBaseFilename", "Compression", "SolidCompression", "WizardStyle", "LicenseFile",
    "UninstallDisplayIcon", "CloseApplications", "RestartApplications", "ChangesAssociations",
}  # fmt: skip
PARAMETERS = {
    "InstallDelete": {"Type", "Name"},
    "Files": {"Source", "DestDir", "Flags"},
    "Icons": {"Name", "Filename"},
    "Registry": {"Root", "Subkey", "ValueType", "ValueName", "ValueData", "Flags"},
    "Run": {"Filename", "Description", "Flags"},
}
FLAGS = {
    "Files": {"ignoreversion", "recursesubdirs", "createallsubdirs"},
    "Registry": {"uninsdeletevalue", "uninsdeletekey", "uninsdeletekeyifempty"},
    "Run": {"nowait", "postinstall", "skipifsilent"},
}
CONSTANTS = {"app", "group", "localappdata", "uninstallexe"}


def inno() -> dict[str, list[str]]:
    """The lines of each section, without comments and the preprocessor's."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in INNO.read_text(encoding="utf-8").splitlines():
        if line.strip() == "" or line.lstrip().startswith((";", "#")):
            continue
        heading = re.fullmatch(r"\[(\w+)\]", line)
        if heading:
            name = heading[1]
            found[name] = []
        else:
            found[name].append(line)
    return found


def parameters(line: str) -> dict[str, str]:
    """`Name: value; Name: "va""lue"` as a table."""
    pattern = re.compile(r'\s*(\w+):\s*("(?:[^"]|"")*"|[^";]*?)\s*(?:;|$)')
    found, at = {}, 0
    while at < len(line):
        entry = pattern.match(line, at)
        assert entry is not None, line
        found[entry[1]] = entry[2].strip('"').replace('""', '"')
        at = entry.end()
    return found


def test_the_sections_and_words_of_the_windows_installer() -> None:
    sections = inno()
    assert set(sections) == SECTIONS
    names = [line.partition("=")[0] for line in sections["Setup"]]
    assert set(names) <= DIRECTIVES
    assert len(names) == len(set(names))
    for section, allowed in PARAMETERS.items():
        for line in sections[section]:
            told = parameters(line)
            assert set(told) <= allowed, line
            assert set(told.get("Flags", "").split()) <= FLAGS.get(section, set()), line


def test_the_braces_of_the_windows_installer() -> None:
    """Each constant is known, each value of the preprocessor defined; "{{" stands for a brace."""
    text = INNO.read_text(encoding="utf-8")
    defined = set(re.findall(r"#(?:define|ifndef)\s+(\w+)", text))
    assert len(re.findall(r"^#ifndef", text, re.M)) == len(re.findall(r"^#endif", text, re.M))
    outside = "\n".join(line for name, lines in inno().items() if name != "Code" for line in lines)
    outside = outside.replace("{{", "")
    for word in re.findall(r"\{([^}]*)\}", outside):
        assert (
            (word.removeprefix("#") in defined) if word.startswith("#") else word in CONSTANTS or "-" in word
        )


def test_the_windows_installer_needs_no_administrator_and_keeps_data() -> None:
    sections = inno()
    setup = dict(line.split("=", 1) for line in sections["Setup"])
    assert setup["PrivilegesRequired"] == "lowest"
    assert setup["DefaultDirName"].startswith("{localappdata}")
    assert all(parameters(line)["Root"] == "HKCU" for line in sections["Registry"])
    assert (INNO.parent / setup["LicenseFile"].replace("\\", "/")).is_file()
    code = "\n".join(sections["Code"])
    asks, deletes = code.index("MB_DEFBUTTON2"), code.index("DelTree")
    assert code.index("if UninstallSilent then") < asks < deletes
    assert len(re.findall(r"\bbegin\b", code)) == len(re.findall(r"\bend;", code))


def test_the_installers_name_programs_that_the_recipe_makes() -> None:
    made = set(re.findall(r'EXE\(.*name="([\w-]+)"', (ROOT / "packaging" / "gcdesk.spec").read_text()))
    assert made == {"gcdesk", "gcdesk-console"}
    named = re.findall(r"\{app\}\\([\w-]+)\.exe", INNO.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= made
    (console,) = re.findall(r"console=gcdesk/([\w-]+)\.exe", WORKFLOWS[0].read_text())
    assert console in made
