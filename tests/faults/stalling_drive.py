"""A network drive that can stall: `python stalling_drive.py PLACE FOLDER` shows FOLDER's files at PLACE, through FUSE.

It speaks the kernel's own protocol on /dev/fuse (linux/fuse.h, version 7.31), so that it needs no library. Lines on its
standard input steer it: `stall` leaves every request from then on unanswered, `go on` answers what waits. At the end of
its input, or when it is killed, the kernel answers for it: the drive is gone.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _STATFS, _RELEASE, _FLUSH = 1, 2, 3, 14, 15, 17, 18, 25
_INIT, _OPENDIR, _READDIR, _RELEASEDIR, _ACCESS, _INTERRUPT, _BATCH_FORGET = 26, 27, 28, 29, 34, 36, 42
_UNANSWERED = {_FORGET, _BATCH_FORGET, _INTERRUPT}
_ROOT = 1
_DIRECT_IO = 1  # no page cache: every read comes here
_MNT_DETACH = 2
_REQUEST = struct.Struct("=IIQQIIIHH")  # length, opcode, number, node, user, group, process, extra, padding
_LONGEST = 1 << 18


class Drive:
    """Flat and read-only. A node's number is its file's place in the list of all that were asked for."""

    def __init__(self, folder: Path, device: int) -> None:
        self._folder, self._device = folder, device
        self._names: list[str] = [""] * (_ROOT + 1)
        self._kept: list[bytes] = []
        self._stalled = False

    def serve(self) -> None:
        """Until the input ends or the drive is taken away."""
        while True:
            ready, _, _ = select.select([self._device, sys.stdin.buffer], [], [])
            if sys.stdin.buffer in ready:
                order = os.read(0, 100)
                if not order:
                    return
                self._stalled = order.split(b"\n")[-2] == b"stall"
                if not self._stalled:
                    kept, self._kept = self._kept, []
                    for request in kept:
                        self._answer(request)
                print("done", flush=True)
            if self._device in ready:
                try:
                    request = os.read(self._device, _LONGEST)
                except OSError as error:
                    if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                        continue  # the request was withdrawn
                    return
                if self._stalled:
                    self._kept.append(request)
                else:
                    self._answer(request)

    def _answer(self, request: bytes) -> None:
        _, opcode, number, node, *_ = _REQUEST.unpack_from(request)
        if opcode in _UNANSWERED:
            return
        try:
            error, body = 0, self._reply(opcode, node, request[_REQUEST.size :])
        except OSError as problem:
            error, body = -(problem.errno or errno.EIO), b""
        try:
            os.write(self._device, struct.pack("=IiQ", 16 + len(body), error, number) + body)
        except OSError as gone:  # who asked does not wait any more
            if gone.errno != errno.ENOENT:
                raise

    def _reply(self, opcode: int, node: int, body: bytes) -> bytes:
        if opcode == _INIT:
            return struct.pack("=IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 65536, 1, 16, 0, 0)
        if opcode == _LOOKUP:
            name = body.rstrip(b"\0").decode()
            status = os.stat(self._folder / name)
            if name not in self._names:
                self._names.append(name)
            found = self._names.index(name)
            return struct.pack("=QQQQII", found, 0, 0, 0, 0, 0) + self._attributes(found, status)
        if opcode == _GETATTR:
            return struct.pack("=QII", 0, 0, 0) + self._attributes(node, os.stat(self._path(node)))
        if opcode in (_OPEN, _OPENDIR):
            return struct.pack("=QII", 0, _DIRECT_IO if opcode == _OPEN else 0, 0)
        if opcode in (_READ, _READDIR):
            _, offset, size = struct.unpack_from("=QQI", body)
            return self._list(offset, size) if opcode == _READDIR else self._read(node, offset, size)
        if opcode == _STATFS:
            return struct.pack("=QQQQQIIII24x", 10**6, 10**6, 10**6, 10**6, 10**6, 4096, 255, 4096, 0)
        if opcode in (_RELEASE, _RELEASEDIR, _FLUSH, _ACCESS):
            return b""
        raise OSError(errno.ENOSYS, "not served")

    def _path(self, node: int) -> Path:
        return self._folder / self._names[node]

    def _read(self, node: int, offset: int, size: int) -> bytes:
        with self._path(node).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _list(self, offset: int, size: int) -> bytes:
        names = sorted(os.listdir(self._folder))
        listed = b""
        for place in range(offset, len(names)):
            name = os.fsencode(names[place])
            entry = struct.pack("=QQII", 2, place + 1, len(name), stat.S_IFREG >> 12) + name
            entry += b"\0" * (-len(entry) % 8)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return listed

    @staticmethod
    def _attributes(node: int, status: os.stat_result) -> bytes:
        times = [divmod(ns, 10**9) for ns in (status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns)]
        mode = stat.S_IFDIR | 0o755 if node == _ROOT else stat.S_IFREG | 0o644
        return struct.pack(
            "=QQQQQQIIIIIIIIII",
            node, status.st_size, (status.st_size + 511) // 512, *(s for s, _ in times), *(ns for _, ns in times),
            mode, 1, 0, 0, 0, 4096, 0,
        )  # fmt: skip


def main() -> int:
    place, folder = sys.argv[1:]
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    system = ctypes.CDLL(None, use_errno=True)
    if system.mount(b"stalling", os.fsencode(place), b"fuse.stalling", 0, options.encode()):
        print(os.strerror(ctypes.get_errno()), file=sys.stderr)
        return 1
    print("done", flush=True)
    try:
        Drive(Path(folder), device).serve()
    finally:
        os.close(device)  # whoever waits gets an error now
        system.umount2(os.fsencode(place), _MNT_DETACH)
    return 0


class Stalling:
    """The drive as a test steers it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def stall(self) -> None:
        self._order("stall")

    def go_on(self) -> None:
        self._order("go on")

    def _order(self, words: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(words, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def stalling_drive(place: Path, folder: Path) -> Iterator[Stalling]:
    """Show `folder` at `place`. Raises OSError where the drive cannot be mounted: only root can."""
    place.mkdir()
    drive = subprocess.Popen(
        [sys.executable, __file__, str(place), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert drive.stdin is not None
    assert drive.stdout is not None
    try:
        if drive.stdout.readline() != "done\n":
            raise OSError("the drive cannot be mounted")
        yield Stalling(drive)
    finally:
        drive.stdin.close()
        drive.wait(10)
        drive.stdout.close()


if __name__ == "__main__":
    sys.exit(main())
