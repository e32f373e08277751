"""What keeps a release waiting, too: a claim that holds on most days, at most minutes, with most keys."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import imports, python_files, syntax

SHORT_CHARS = 5  # a page with a clock, a key or a drawn name on it shows any shorter word some day
WHOLES = ast.Set | ast.SetComp | ast.List | ast.ListComp | ast.Tuple  # a word is one of them or not, and no part of one
LAPSES = {"monotonic", "monotonic_ns", "mono_ns", "time", "time_ns"}
# `path:word` with the reason why the word cannot be there by chance.
EXCEPTIONS = {
    "tests/packets/hints/test_hl7.py:WT77": "what a reader made of one message, always the same",
    "tests/service/test_uplink.py:will": "a key of a table, not a part of a text",
}


def asserted() -> Iterator[tuple[Path, ast.Compare]]:
    """Every comparison in an assert statement of a test."""
    for path in python_files("tests"):
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Assert):
                yield from ((path, part) for part in ast.walk(node.test) if isinstance(part, ast.Compare))


def sought(compare: ast.Compare) -> Iterator[tuple[str, bool]]:
    """The words that are looked for in something, and whether they must be there."""
    before = [compare.left, *compare.comparators]
    for one, operator, place in zip(before, compare.ops, compare.comparators, strict=False):
        if isinstance(operator, ast.In | ast.NotIn) and isinstance(one, ast.Constant) and not isinstance(place, WHOLES):
            value = one.value.decode("latin-1") if isinstance(one.value, bytes) else one.value
            if isinstance(value, str) and value.isascii() and value.isalnum():
                yield value, isinstance(operator, ast.In)


def test_no_word_is_sought_that_chance_may_write() -> None:
    """Nor is a number that any path or clock holds a proof of anything."""
    short = [
        f"{path}:{compare.lineno} {word!r}"
        for path, compare in asserted()
        for word, there in sought(compare)
        if len(word) < SHORT_CHARS and (word.isdigit() or not there) and f"{path}:{word}" not in EXCEPTIONS
    ]
    assert not short, f"look for a word of {SHORT_CHARS} characters and more, or for it in its place: {short}"


def lapse(node: ast.AST) -> bool:
    """Whether it is a clock's answer less an earlier one."""
    first = node.left if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else None
    return isinstance(first, ast.Call) and getattr(first.func, "attr", "") in LAPSES


def test_nothing_has_to_be_done_in_time() -> None:
    late = [
        f"{path}:{compare.lineno}"
        for path, compare in asserted()
        if lapse(compare.left) and isinstance(compare.ops[0], ast.Lt | ast.LtE)
        if "time" in {one.module for one in imports(path)} or "agent.clock" in {one.module for one in imports(path)}
    ]
    assert not late, f"a busy machine is no fault of the product (time.thread_time is its own): {late}"
