"""Small files that are whole after any crash: the old content or the new, never half of it."""

import os
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Make names durable: without it a power cut may take a new file back. OSError as it comes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, content: bytes, mode: int = 0o640, *, durable: bool = True) -> None:
    """Durable under its name when this returns; OSError otherwise, and what was there before is still there.

    Not `durable`: whoever reads sees it whole, and a power cut may take it - for what is worth nothing after a second.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(fresh, flags, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        fsync_folder(path.parent)
