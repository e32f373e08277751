"""`wardtap packs`: takes over the packs of a site once their signatures were checked; run by root, off the hot path.

All or nothing for each pack: what is refused changes nothing, and the one before stays in force. What is written down
are the octets that were verified.
"""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from agent.clock import SystemClock
from agent.devices.packs import Packs
from agent.devices.site_packs import PACKS_MAX, in_force, newest, serial_of
from agent.durable import fsync_folder, write_atomically
from agent.errors import InputError, Refused, StateError
from agent.service.suppression_store import read_explained
from agent.signing.packs import SEAL_NAME, Pack, open_pack
from agent.signing.roster import Trust
from agent.signing.trust import load_trust


class TakenOver(NamedTuple):
    """What became of one pack."""

    name: str
    serial: int
    signers: tuple[str, ...]
    new: bool  # False: this very pack was in force already


def take_over(source: Path, state: Path, trust: Trust, now_ns: int) -> TakenOver:
    """Verify the pack in `source` and bring it into force.

    Refused as by `open_pack`, `equivocation` for another pack of the same serial; InputError for lines that cannot be
    used; StateError when the state folder cannot be written.
    """
    name = _named(source, trust, now_ns)
    store = state / "packs" / name
    before = newest(store)
    pack = open_pack(source, trust, now_ns=now_ns, serial_min=serial_of(before) if before else 0)
    if before is not None and serial_of(before) == pack.serial:
        if (before / SEAL_NAME).read_bytes() != pack.sealed:
            raise Refused(f"serial {pack.serial} was another pack", reason="equivocation", where=str(source))
        return TakenOver(name, pack.serial, pack.signers, new=False)
    if before is None and len(in_force(state)) >= PACKS_MAX:
        raise StateError(f"{PACKS_MAX} packs are in force already", where=str(state / "packs"))
    try:
        _lay(pack, store, state)
    except OSError as error:
        raise StateError(f"cannot be written: {error.strerror}", where=str(store)) from error
    return TakenOver(name, pack.serial, pack.signers, new=True)


def _named(source: Path, trust: Trust, now_ns: int) -> str:
    """The name is inside the seal: nothing is looked up by it before it was verified."""
    return open_pack(source, trust, now_ns=now_ns).name


def _lay(pack: Pack, store: Path, state: Path) -> None:
    """Beside, then renamed: a power cut leaves the old one or the new one, never half of it."""
    fresh = store / ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    for file, octets in {**pack.files, SEAL_NAME: pack.sealed}.items():
        write_atomically(fresh / file, octets, 0o644)
    for folder in (store.parent, store, fresh, *(path for path in fresh.iterdir() if path.is_dir())):
        folder.chmod(0o755)
    try:
        Packs.load(site=[fresh, *(path for path in in_force(state) if path.parent != store)])
        read_explained([fresh])
    except InputError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    final = store / str(pack.serial)
    os.rename(fresh, final)  # noqa: PTH104 - the call whose atomicity is meant
    fsync_folder(store)
    for older in [path for path in store.iterdir() if path != final]:
        shutil.rmtree(older, ignore_errors=True)


def sources_in(folder: Path) -> Iterable[Path]:
    """The packs that lie in a folder; itself, when it is one."""
    if (folder / SEAL_NAME).exists():
        return [folder]
    found = sorted(path.parent for path in folder.glob(f"*/{SEAL_NAME}"))
    if not found:
        raise InputError(f"no pack here: no {SEAL_NAME}", where=str(folder), todo="sign it with `wardtapctl pack sign`")
    return found


def packs(folder: Path | None, state: Path, trust: Path | None) -> int:
    """The command: take over what lies in `folder`, or tell what is in force. Exit code 6 when one was refused.

    A fault that is no refusal ends it with its own exit code; what was taken over before stays in force.
    """
    if folder is None:
        print(f"shipped  version {Packs.load().version}")
        for version in in_force(state):
            print(f"site     {version.parent.name} {version.name}")
        return 0
    clock, refused = SystemClock(), 0
    table = load_trust(trust or state / "uplink" / "trust.bin", now_ns=clock.wall_ns())
    for source in sources_in(folder):
        try:
            done = take_over(source, state, table, clock.wall_ns())
        except (Refused, InputError) as error:
            print(f"wardtap: {error}; what was in force stays so", file=sys.stderr)
            refused = Refused.exit_code
            continue
        change = "taken over; it counts from the sensor's next start, suppressions within a minute"
        change = change if done.new else "is in force already"
        print(f"{done.name} {done.serial}, signed by {' and '.join(done.signers)}: {change}")
    return refused
