"""State as a file: one line that says what follows and its checksum, then JSON. A damaged file is refused whole.

    <magic> <version> <SHA-256 of the rest, hexadecimal>
    {...}

Half of what a sensor knew would make it wrong where none makes it slow: so nothing is taken from a file that is not as
it was written.
"""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import StateError


class Form(NamedTuple):
    """What a file is: its first word, its version, what people call it (with its article), and how long it may be."""

    magic: str
    version: int
    called: str
    octets_max: int

    @property
    def the(self) -> str:
        """With the other article."""
        return f"the {self.called.partition(' ')[2]}"


def seal(form: Form, content: dict[str, Any]) -> bytes:
    """The file's octets: the same content gives the same."""
    body = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return f"{form.magic} {form.version} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def unseal(form: Form, raw: bytes) -> Any:
    """What `seal` was given. StateError, with the reason, for anything else."""
    head, _, body = raw.partition(b"\n")
    words = head.decode("ascii", "replace").split(" ")
    if len(words) != 3 or words[0] != form.magic:
        raise StateError(f"this is no {form.called.partition(' ')[2]}")
    if words[1] != str(form.version):
        raise StateError(f"{form.called} of version {words[1][:8]}, this release reads version {form.version}")
    if hashlib.sha256(body).hexdigest() != words[2]:
        raise StateError(f"{form.the} is damaged: its checksum is wrong")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StateError(f"{form.the} is damaged: {type(error).__name__}") from error


def read_octets(form: Form, path: Path) -> bytes | None:
    """The file's octets, None where there is no file. StateError where it cannot be read, or is none of ours."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise StateError("is no regular file", where=str(path))
            raw = file.read(form.octets_max + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > form.octets_max:
        raise StateError(f"longer than {form.octets_max} octets", where=str(path))
    return raw
