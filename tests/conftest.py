"""Fixtures that every room's tests share: real data, real models, and a home folder of their own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from platform_marks import pytest_collection_modifyitems, pytest_pycollect_makemodule  # noqa: F401
from talc_fixtures import photo_set, slurm, whole_run  # noqa: F401

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def gcdesk_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home for each test, so nothing is read from or written to the user's own folders."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("GCDESK_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data folder of the shared tree (`$GCDESK_SHARED/data`): must be there in CI, may be absent elsewhere."""
    shared = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared"))
    data = shared / "data"
    if not data.is_dir():
        message = f"no shared data at {data}: set GCDESK_SHARED to the shared folder"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return data.resolve()


@pytest.fixture(scope="session")
def samples() -> Path:
    """The bundled sample photos; their file names are captions."""
    return ROOT / "resources" / "samples"


@pytest.fixture(scope="session")
def starter_image() -> Path:
    return ROOT / "resources" / "models" / "starter-image.gcmodel"


@pytest.fixture(scope="session")
def starter_text() -> Path:
    return ROOT / "resources" / "models" / "starter-text.gcmodel"


@pytest.fixture
def another_user() -> Callable[[], AbstractContextManager[None]]:
    """`with another_user():` runs the block without root's rights, because root can read everything.

    What the block needs must have been imported before it: the interpreter may lie in root's own home.
    """

    @contextmanager
    def run() -> Iterator[None]:
        if sys.platform == "win32":
            pytest.skip("file permissions of another kind")
        if os.geteuid() != 0:
            yield
            return
        import pwd

        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            yield
        finally:
            os.seteuid(0)

    return run


@pytest.fixture
def open_folder() -> Path:
    """A temporary folder that every user may enter (pytest's own may be entered by its user only)."""
    folder = Path(tempfile.mkdtemp(prefix="gcdesk-test-"))
    folder.chmod(0o755)
    yield folder
    if sys.platform == "win32":  # it deletes no file that may not be written
        for path in folder.rglob("*"):
            path.chmod(0o666)
    shutil.rmtree(folder)
