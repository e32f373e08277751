"""The table of what was seen on a booted Debian, between two marks of its page."""

from datetime import UTC, datetime
from pathlib import Path

BEGIN, END = "<!-- life: begin -->", "<!-- life: end -->"


def table(lines: list[str]) -> str:
    """For the page."""
    day = datetime.now(UTC).date().isoformat()
    return "\n".join(["| row | what was seen | s | on |", "|---|---|---|---|", *(f"{line} {day} |" for line in lines)])


def write(page: Path, text: str) -> None:
    """Between the page's two marks."""
    whole = page.read_text(encoding="utf-8")
    head, rest = whole.split(BEGIN)
    page.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
