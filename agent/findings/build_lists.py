"""Build the suffix list and the letter model from files of Debian's packages `publicsuffix` and `wamerican`.

    python -m agent.findings.build_lists --out firmware_config/packs

Run off the appliance when the list is renewed; the result is committed. The same files give the same octets.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import InputError, WardtapError
from agent.findings import name_model, suffixes

LIST = Path("/usr/share/publicsuffix/public_suffix_list.dat")
WORDS = Path("/usr/share/dict/american-english")


def _lines(path: Path, package: str) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), todo=f"install {package}") from error


def as_on_the_wire(rule: str) -> str:
    """A rule with its labels as DNS carries them (RFC 3492), in lower case."""
    mark, name = ("!", rule[1:]) if rule.startswith("!") else ("", rule)
    labels = [label.lower() for label in name.split(".")]
    return mark + ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}" for label in labels
    )


def rules_of(lines: Sequence[str]) -> list[str]:
    """The rules of the list, private ones too: who rents a name under one of them is its owner."""
    rules = {as_on_the_wire(line.split()[0]) for line in lines if line.strip() and not line.startswith("//")}
    return sorted(rules)


def words_of(lines: Sequence[str]) -> list[str]:
    """Words in lower case, without what is no letter of a domain."""
    return [word for line in lines if (word := line.strip().lower()).isascii() and word.isalpha() and len(word) > 2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and write both; the exit code is the error's."""
    parser = argparse.ArgumentParser(description="Build the suffix list and the letter model.")
    parser.add_argument("--list", type=Path, default=LIST, help="public_suffix_list.dat of Debian's publicsuffix")
    parser.add_argument("--words", type=Path, default=WORDS, help="american-english of Debian's wamerican")
    parser.add_argument("--version", default="", help="of the list; else the day of its file")
    parser.add_argument("--out", type=Path, required=True, help="folder of the packs")
    options = parser.parse_args(arguments)
    try:
        rules, words = rules_of(_lines(options.list, "publicsuffix")), words_of(_lines(options.words, "wamerican"))
        version = options.version or datetime.fromtimestamp(options.list.stat().st_mtime, UTC).strftime("%Y%m%d")
        text = "\n".join([f"{suffixes.HEAD}{version}", *rules, ""])
        (options.out / suffixes.SUFFIXES).write_bytes(text.encode("ascii"))
        (options.out / name_model.MODEL).write_bytes(name_model.HEAD + name_model.train(words))
    except WardtapError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{options.out}: {len(rules)} suffixes, letters of {len(words)} words\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
