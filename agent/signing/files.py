"""Reading a small regular file that somebody else may have put there."""

import os
import stat
from pathlib import Path

from agent.errors import PermissionNeeded, StateError


def read_regular(path: Path, most: int, *, follow: bool = True) -> tuple[bytes, int]:
    """Octets and mode bits of a regular file of at most `most` octets.

    The opened file is asked, not its name, and a pipe is never waited for. PermissionNeeded when this user may not read
    it, StateError when it is missing, no regular file, larger, or (without `follow`) a symbolic link.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except PermissionError as error:
        raise PermissionNeeded("cannot be read", where=str(path), todo="it must belong to this user") from error
    except (OSError, ValueError) as error:  # ValueError: a zero octet in the name
        why = getattr(error, "strerror", None) or "no file name"
        raise StateError(f"cannot be read: {why}", where=str(path)) from error
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise StateError("is not a regular file", where=str(path))
        with open(handle, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(handle)
    if len(data) > most:
        raise StateError(f"has more than {most} octets", where=str(path))
    return data, stat.S_IMODE(mode)
