"""Who is at the other end of a local socket: the kernel says, not the other end."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys


def is_same_user(descriptor: int) -> bool:
    """Whether a connected local socket leads to a process of this user. On Windows always: a pipe has its user's own
    security there, which lets nobody else in (QLocalServer.UserAccessOption).
    """
    if sys.platform == "win32":
        return True
    try:
        return _user_of(descriptor) == os.getuid()
    except OSError:
        return False


def _user_of(descriptor: int) -> int:
    """The number of the user at the other end. Raises OSError."""
    if sys.platform == "linux":
        with socket.socket(fileno=os.dup(descriptor)) as peer:
            _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return int(user)
    user, group = ctypes.c_uint32(), ctypes.c_uint32()  # uid_t and gid_t of macOS and the BSDs
    library = ctypes.CDLL(None, use_errno=True)
    if library.getpeereid(descriptor, ctypes.byref(user), ctypes.byref(group)):
        raise OSError(ctypes.get_errno(), "getpeereid")
    return user.value
