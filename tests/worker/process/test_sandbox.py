"""What a confined process may not do any more, tried in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gcdesk.engine.library.library import Library
from gcdesk.worker.process.sandbox import WRITES_VARIABLE, landlock_version

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and setrlimit are Linux's")

TRY = """
import json, os, resource, socket, sys
from pathlib import Path
import tempfile
from gcdesk.worker.process.sandbox import confine
inside, outside, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
tempfile.tempdir = str(inside)
resource.setrlimit(resource.RLIMIT_DATA, (2**29, 2**29))
(outside / "old").write_text("old")
said = {"confined": vars(confine([inside]))}
def attempt(name, work):
    try:
        work()
        said[name] = "done"
    except (OSError, MemoryError) as error:
        said[name] = type(error).__name__
attempt("write inside", lambda: (inside / "new" / "deep").mkdir(parents=True))
attempt("write outside", lambda: (outside / "new").write_text("x"))
attempt("make a folder outside", lambda: (outside / "folder").mkdir())
attempt("empty a file outside", lambda: os.truncate(outside / "old", 0))
attempt("delete outside", lambda: (outside / "old").unlink())
attempt("move inside", lambda: (outside / "old").rename(inside / "old"))
attempt("link outside", lambda: (outside / "link").symlink_to("old"))
attempt("read outside", lambda: (outside / "old").read_text())
attempt("connect", lambda: socket.create_connection(("127.0.0.1", port), 2).close())
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)).close())
attempt("memory", lambda: bytearray(2**29 + 2**28))
attempt("null", lambda: open(os.devnull, "w").write("x"))
said["core"] = resource.getrlimit(resource.RLIMIT_CORE)[1]
print(json.dumps(said))
"""


@pytest.mark.posix("the fence is the Linux kernel's")
def test_a_confined_process_writes_inside_only(tmp_path: Path) -> None:
    import socket

    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "-c", TRY, str(tmp_path / "inside"), str(tmp_path / "outside"), str(port)]
        said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    held = said["confined"]
    assert held["memory"] == 2**29
    assert said["write inside"] == said["read outside"] == said["null"] == "done"
    assert said["memory"] == "MemoryError"
    assert said["core"] == 0
    if not held["folders"]:
        pytest.skip("this kernel has no Landlock")
    refused = (
        "write outside",
        "make a folder outside",
        "empty a file outside",
        "delete outside",
        "link outside",
    )
    assert {said[name] for name in (*refused, "move inside")} == {"PermissionError"}
    assert (tmp_path / "outside" / "old").read_text() == "old"
    if held["network"]:
        assert said["connect"] == said["listen"] == "PermissionError"


IMPORT = """
import sys
from pathlib import Path
from gcdesk.config.folders import user_folders
from gcdesk.engine.library.library import Library
from gcdesk.worker.process.sandbox import confine
confine([user_folders().models, user_folders().config])
for source, name in zip(sys.argv[1::2], sys.argv[2::2]):
    print(Library().import_model(Path(source), name).name)
"""


@pytest.mark.posix("the fence is the Linux kernel's")
def test_models_can_be_imported_by_a_confined_process(tmp_path: Path) -> None:
    """The zip and the course's format, with everything that an import does: unpack, check, score a sample."""
    Library().export("starter-text", tmp_path / "a.gcmodel.zip")
    Library().export("starter-image", tmp_path / "b.pth")
    command = [
        sys.executable,
        "-c",
        IMPORT,
        str(tmp_path / "a.gcmodel.zip"),
        "one",
        str(tmp_path / "b.pth"),
        "two",
    ]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.stdout.split() == ["one", "two"], ran.stderr
    assert {model.name for model in Library().models()} >= {"one", "two"}


@pytest.mark.posix("the fence is the Linux kernel's")
def test_the_windows_worker_is_confined(tmp_path: Path) -> None:
    """As gcdesk.jobs starts it: the kernel's own account of the process."""
    environment = {**os.environ, WRITES_VARIABLE: str(tmp_path)}
    worker = subprocess.Popen(
        [sys.executable, "-m", "gcdesk.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    try:
        worker.stdout.readline()  # the first heartbeat
        status = Path(f"/proc/{worker.pid}/status").read_text()
        limits = Path(f"/proc/{worker.pid}/limits").read_text()
    finally:
        worker.stdin.close()
        worker.wait(60)
        worker.stdout.close()
    assert "NoNewPrivs:\t1" in status or not landlock_version()
    (data,) = (line for line in limits.splitlines() if line.startswith("Max data size"))
    assert data.split()[3].isdigit()
