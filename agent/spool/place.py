"""What can be said of the place where a spool lies without writing to it."""

import errno
import os
from pathlib import Path


def has_names(folder: Path) -> bool:
    """Whether the file system has room for one more file, however small (inodes); True where it does not say."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return True
    return not found.f_files or found.f_favail > 0


def refusal(folder: Path) -> str:
    """Why nothing can be written there, in a word: `gone`, `read-only`, `full`, `no inodes`; empty when it could be."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM}:
            return ""  # it is not ours to look at
        return "gone" if error.errno == errno.ENOENT else os.strerror(error.errno or 0)
    if found.f_flag & os.ST_RDONLY:
        return "read-only"
    if not found.f_bavail:
        return "full"
    return "" if has_names(folder) else "no inodes"
