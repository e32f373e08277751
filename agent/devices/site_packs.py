"""Which packs of the site are in force: those that were verified and taken over, the newest of each name.

`packs/NAME/SERIAL/` in the state folder. Root writes there after it has checked the signatures (service/pack_store.py);
the sensor only reads, so what lies there needs no key to be believed.
"""

from pathlib import Path

PACKS_MAX = 16  # names; a site has one or two


def serial_of(folder: Path) -> int:
    """The serial that a folder is named by; 0 for one that is being made."""
    return int(folder.name) if folder.name.isascii() and folder.name.isdigit() else 0


def newest(folder: Path) -> Path | None:
    """The newest version of one pack."""
    versions = [path for path in folder.iterdir() if path.is_dir() and serial_of(path)] if folder.is_dir() else []
    return max(versions, key=serial_of, default=None)


def in_force(state: Path) -> list[Path]:
    """The folders to read, by name. Nothing where no pack was taken over, or where they cannot be looked at."""
    try:
        names = sorted(path for path in (state / "packs").iterdir() if path.is_dir())[:PACKS_MAX]
        return [version for name in names if (version := newest(name)) is not None]
    except OSError:
        return []
