r"""Build the advisory pack from an index of CISA's medical advisories and the table of products.

    python -m agent.devices.build_advisories --index csaf_medical_index.tsv --snapshot 2024-10-24 \
        --out firmware_config/packs

The index has a line for each advisory: id, title, CVE ids with commas (`+11` at the end: so many more), tabs between.
It is made of the CSAF documents of github.com/cisagov/CSAF: `document.tracking.id`, `document.title` and the `cve` of
each vulnerability. `products.toml` says which makers and roles a title is about; a title that no line fits is left out
and named, for nothing on a ward could be matched with it. Run off the appliance; the result is committed.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import InputError, WardtapError
from agent.kept_toml import parse_toml

PACK_NAME = "advisories.toml"
TITLE_MAX_CHARS = 120
_ID = re.compile(r"ICSM?A-\d\d-\d{3}-\d\d[A-Z]?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UPDATE = re.compile(r"\s*\(Update [A-Z]\)$")
_HEAD = """# Advisories of the U.S. agency CISA about products that the other packs can name. Built by
# python -m agent.devices.build_advisories; `flaws` counts CVE ids; makers, roles and names are of products.toml.

version = "{version}"

[advisories]
rows = [
"""


class Row(NamedTuple):
    """A line of the index."""

    id: str
    title: str
    flaws: int


def read_index(path: Path) -> list[Row]:
    """The lines of the index, by id. InputError when it cannot be read or a line is none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"the index cannot be read: {error}", where=str(path)) from error
    rows = []
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if len(cells) != 3 or not _ID.fullmatch(cells[0]):
            raise InputError("a line is not an id, a title and CVE ids", where=f"{path}:{number}")
        title = _UPDATE.sub("", " ".join(cells[1].split()).replace("\u2019", "'"))[:TITLE_MAX_CHARS]
        rows.append(Row(cells[0], title, _count(cells[2])))
    return sorted(rows)


def _count(cves: str) -> int:
    """How many CVE ids a cell stands for."""
    parts = [part for part in cves.split(",") if part]
    more = int(parts.pop()[1:]) if parts and parts[-1].startswith("+") else 0
    return len(parts) + more


def product_of(title: str, products: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The first line of the product table that fits a title."""
    text = title.lower().replace("'", "")
    return next((product for product in products if all(word in text for word in product["words"])), None)


def pack(rows: Sequence[Row], products: Sequence[dict[str, Any]], version: str) -> tuple[str, list[Row]]:
    """The pack's text, and the rows that no product fits."""
    lines, left = [], []
    for row in rows:
        product = product_of(row.title, products)
        if product is None:
            left.append(row)
            continue
        lists = ", ".join(f"{key} = {json.dumps(product.get(key, []))}" for key in ("makers", "roles", "names"))
        lines.append(f"  {{ id = {json.dumps(row.id)}, title = {json.dumps(row.title, ensure_ascii=False)}, "
                     f"flaws = {row.flaws}, {lists} }},\n")  # fmt: skip
    return _HEAD.format(version=version) + "".join(lines) + "]\n", left


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and write the pack; the exit code is the error's."""
    parser = argparse.ArgumentParser(description="Build the advisory pack from an index of advisories.")
    parser.add_argument("--index", type=Path, required=True, help="id, title and CVE ids, a tab between")
    parser.add_argument("--snapshot", required=True, help="day of the advisories, yyyy-mm-dd: the pack's version")
    parser.add_argument("--out", type=Path, required=True, help="folder of the packs, with products.toml")
    options = parser.parse_args(arguments)
    try:
        if not _DAY.fullmatch(options.snapshot):
            raise InputError("the snapshot is a day, yyyy-mm-dd", where="--snapshot")
        products = parse_toml((options.out / "products.toml").read_text("utf-8"))["products"]["rows"]
        text, left = pack(read_index(options.index), products, options.snapshot.replace("-", ""))
        (options.out / PACK_NAME).write_text(text, "utf-8")
    except WardtapError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{options.out / PACK_NAME}: {text.count('{ id')} advisories, {len(left)} left out\n")
    sys.stdout.writelines(f"  no product: {row.id} {row.title}\n" for row in left)
    return 0


if __name__ == "__main__":
    sys.exit(main())
