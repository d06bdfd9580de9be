"""Site profiles: what ships is sound; what is wrong in another is named, with the keys there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcdesk.cluster.errors import SiteError
from gcdesk.cluster.sites import Site, load_site, memory_mb, seconds, site_names

GOOD = 'name = "Here"\nlogin = "login.example.org"\npartition = "gpu"\n'


def site(text: str, folder: Path) -> Site:
    file = folder / "site.toml"
    file.write_text(text)
    return load_site(str(file))


def test_the_shipped_profiles_are_sound_and_talc_comes_first() -> None:
    assert site_names()[0] == "talc"
    talc = load_site("talc")
    assert (talc.login, talc.partition, talc.gres, talc.cpus) == ("talc.ucalgary.ca", "gpu", "gpu", 2)
    assert (memory_mb(talc.memory), seconds(talc.time)) == (16384, 11 * 3600)
    assert talc.courses["enel645_2024f"].train.startswith("/work/TALC/")
    assert load_site("generic").courses == {}


def test_a_short_profile_takes_the_usual_rest(tmp_path: Path) -> None:
    made = site(GOOD, tmp_path)
    assert (made.gpus, made.requeues, made.environment.kind) == (1, 3, "venv")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "memorry = '3GB'",
            r"unknown key 'memorry'; there are name, login, partition, gres, gpus, cpus, memory",
        ),
        (
            "[courses.x]\ntitle = 'X'\ntrain = '/a'\nval = '/b'\nvalid = '/c'",
            r"courses.x: unknown key 'valid'",
        ),
        ("[courses.x]\ntitle = 'X'\ntrain = '/a'", "courses.x: val is missing"),
        ("[environment]\nkind = 'poetry'", "must be venv, conda, python"),
        ("[environment]\npath = 'env'", "must begin with / or ~/"),
        ("gpus = '2'", "gpus is '2', which is no int"),
        ("memory = '16 apples'", "write it as 16GB"),
        ("time = '11 hours'", "days-hours:minutes:seconds"),
        ("time = '00:02:00'", "more than three minutes"),
        ("modules = ['python; rm -rf /']", "only letters, digits"),
        ("account = '$(id)'", "only letters, digits"),
        ("modules = 'python'", "must be a list"),
        ("x = [", "is not a TOML file"),
    ],
)
def test_what_is_wrong_in_a_profile_is_named(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(SiteError, match=message):
        site(f"{GOOD}{more}\n", tmp_path)


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="use talc, generic, or the path"):
        load_site("cedar")
    with pytest.raises(SiteError, match="cannot be read"):
        load_site(str(tmp_path / "none.toml"))
    with pytest.raises(SiteError, match="login is missing"):
        site('name = "Here"\npartition = "gpu"\n', tmp_path)
