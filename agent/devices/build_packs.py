"""Build the vendor pack from the IEEE registry files of Debian's package `ieee-data`.

    python -m agent.devices.build_packs --ieee /usr/share/ieee-data --out firmware_config/packs

Run off the appliance when the registry is renewed; the result is committed. The same files give the same octets.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.devices import oui
from agent.errors import InputError, WardtapError

_FILES = ("oui.csv", "mam.csv", "oui36.csv", "iab.csv")
_NAME_MAX_CHARS = 64
PACK_NAME = "oui.bin"


def organisation(text: str) -> str:
    """The registry's spelling with printable characters only and single blanks, at most 64 characters."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())[:_NAME_MAX_CHARS].strip()


def read_registry(folder: Path) -> dict[tuple[int, int], str]:
    """Every public assignment as {(bits, prefix): organisation}. InputError when a file is missing or odd."""
    blocks: dict[tuple[int, int], str] = {}
    for name in _FILES:
        path = folder / name
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = [(row["Assignment"], row["Organization Name"]) for row in csv.DictReader(file)]
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"not a registry file: {error!r}", where=str(path), todo="install ieee-data") from error
        for prefix, owner in rows:
            text = organisation(owner)
            if text and text not in {"Private", "IEEE Registration Authority"}:
                blocks[4 * len(prefix), int(prefix, 16)] = text
    return blocks


def registry_date(folder: Path) -> int:
    """The day the registry was fetched, yyyymmdd: Debian's `.lastupdate` (seconds since 1970), or the files' time."""
    stamp = folder / ".lastupdate"
    text = stamp.read_text("utf-8").strip() if stamp.is_file() else ""
    fetched = int(text) if text.isdigit() else max((folder / name).stat().st_mtime for name in _FILES)
    return int(datetime.fromtimestamp(fetched, UTC).strftime("%Y%m%d"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and write the pack; the exit code is the error's."""
    parser = argparse.ArgumentParser(description="Build the vendor pack from the IEEE registry files.")
    parser.add_argument("--ieee", type=Path, default=Path("/usr/share/ieee-data"), help="folder of oui.csv and its kin")
    parser.add_argument("--out", type=Path, required=True, help="folder of the packs")
    options = parser.parse_args(arguments)
    try:
        blocks = read_registry(options.ieee)
        data = oui.encode(blocks, registry_date(options.ieee))
        (options.out / PACK_NAME).write_bytes(data)
    except WardtapError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{options.out / PACK_NAME}: {len(blocks)} blocks, {len(data)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
