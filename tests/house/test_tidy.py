"""Sizes, names and words. A limit that hurts is moved here, with its reason, in the open."""

import ast
import io
import re
import statistics
import tokenize
from pathlib import Path

from tests.house.tree import ROOT, Function, functions, is_compiled, python_files, syntax

MODULE_LINES_MAX, MODULE_LINES_MEDIAN_MAX = 400, 150
FUNCTION_LINES_MAX, KERNEL_LINES_MAX = 60, 80
PARAMETERS_MAX, KERNEL_PARAMETERS_MAX = 6, 12  # a kernel takes its arrays one by one where a bundle would cost a copy

# Longer than the limits, each with the reason why it is not cut: `path` or `path:function`.
MODULE_EXCEPTIONS: dict[str, str] = {}
FUNCTION_EXCEPTIONS: dict[str, str] = {}
PARAMETER_EXCEPTIONS: dict[str, str] = {}
WORD_EXCEPTIONS: dict[str, str] = {}

TOP_LEVEL = {
    *("agent", "firmware_config", "hw", "tests", "docs"),
    *("pyproject.toml", "install.sh", "README.md", "CHANGELOG.md", "LICENSE"),
}
BUILT = {"build", "dist"}  # what .gitignore leaves out
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc", "stuff"}
LATER = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "HA" + "CK:")))
TEXT = {".py", ".sh", ".md", ".toml", ".conf", ".service", ".html", ".css", ".js", ".network", ".rules", ".nft", ""}
SOURCES = python_files("agent", "tests", "hw", "firmware_config")
NAMES = [str(path) for path in SOURCES]


def lines_of(path: Path) -> int:
    """How long a file is."""
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_module_size() -> None:
    long = [f"{path}: {lines_of(path)}" for path in SOURCES if lines_of(path) > MODULE_LINES_MAX]
    long = [text for text in long if text.split(":")[0] not in MODULE_EXCEPTIONS]
    assert not long, f"over {MODULE_LINES_MAX} lines, split along what leaves: {long}"


def test_median_module_is_short() -> None:
    sizes = [lines_of(path) for path in python_files("agent") if path.name != "__init__.py"]
    assert statistics.median(sizes) <= MODULE_LINES_MEDIAN_MAX


def parameters(function: Function) -> int:
    """Parameters, `self` and `cls` left out, starred ones counted once."""
    given = function.args
    named = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    if named[:1] in (["self"], ["cls"]):
        named = named[1:]
    return len(named) + (given.vararg is not None) + (given.kwarg is not None)


def lines_in(function: Function) -> int:
    """From `def` to the last line, without decorators and docstring: prose is not complexity."""
    size = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return size - ((first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0)


def test_function_size_and_parameters() -> None:
    wrong = []
    for path, function in [(source, function) for source in SOURCES for function in functions(source)]:
        where, compiled = f"{path}:{function.name}", is_compiled(function)
        longest = KERNEL_LINES_MAX if compiled else FUNCTION_LINES_MAX
        most = KERNEL_PARAMETERS_MAX if compiled else PARAMETERS_MAX
        if lines_in(function) > longest and where not in FUNCTION_EXCEPTIONS:
            wrong.append(f"{where} has {lines_in(function)} lines (limit {longest})")
        if parameters(function) > most and where not in PARAMETER_EXCEPTIONS:
            wrong.append(f"{where} takes {parameters(function)} parameters (limit {most})")
    assert not wrong, "\n".join(wrong)


def test_exceptions_are_still_needed() -> None:
    """An exception for something that is gone, or short by now, hides the next one."""
    found = {f"{path}:{function.name}": function for path in SOURCES for function in functions(path)}
    idle = [name for name in MODULE_EXCEPTIONS if name not in NAMES or lines_of(Path(name)) <= MODULE_LINES_MAX]
    for name in FUNCTION_EXCEPTIONS:
        limit = KERNEL_LINES_MAX if name in found and is_compiled(found[name]) else FUNCTION_LINES_MAX
        idle += [name] if name not in found or lines_in(found[name]) <= limit else []
    idle += [name for name in PARAMETER_EXCEPTIONS if name not in found or parameters(found[name]) <= PARAMETERS_MAX]
    assert not idle, f"no longer needed: {idle}"
    assert all(
        len(reason.split()) >= 3 for table in (MODULE_EXCEPTIONS, FUNCTION_EXCEPTIONS) for reason in table.values()
    )


def words(identifier: str) -> set[str]:
    """`HttpManager` and `http_manager` are both {http, manager}."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


def test_names_say_what_a_thing_is() -> None:
    bad = []
    for path in SOURCES:
        named = [node.name for node in ast.walk(syntax(path)) if isinstance(node, Function | ast.ClassDef)]
        said = (text for text in named if not text.startswith("test_"))  # a test's name is a sentence
        bad += [f"{path}: {text}" for text in (*path.with_suffix("").parts, *said) if words(text) & BANNED_NAMES]
    assert not bad, f"these could be anything; name what leaves them: {bad}"


def spoken(path: Path) -> list[tuple[int, str]]:
    """Identifiers and string literals of a file; comments and docstrings may explain the word."""
    doc_lines: set[int] = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            doc_lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    kinds = {tokenize.NAME, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    tokens = tokenize.generate_tokens(io.StringIO((ROOT / path).read_text(encoding="utf-8")).readline)
    return [
        (token.start[0], token.string) for token in tokens if token.type in kinds and token.start[0] not in doc_lines
    ]


def test_a_finding_is_never_called_an_alarm() -> None:
    """On a ward that word means a patient."""
    said = ((path, line) for path in python_files("agent") for line, text in spoken(path) if "alarm" in text.lower())
    heard = [f"{path}:{line}" for path, line in said if str(path) not in WORD_EXCEPTIONS]
    assert not heard, f"say finding: {heard}"


def test_top_level_is_as_designed() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    found = {name for name in found if name not in BUILT and not name.endswith(".egg-info")}
    assert not found - TOP_LEVEL, f"the top level is fixed: {sorted(found - TOP_LEVEL)}"
    assert not TOP_LEVEL - found, f"missing at the top level: {sorted(TOP_LEVEL - found)}"


def test_nothing_is_left_for_later() -> None:
    """What is not done is in no file; where it is planned, an issue says so."""
    left = []
    for folder in ("agent", "tests", "firmware_config", "hw", "docs"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                text = path.read_text(encoding="utf-8", errors="replace")
                left += [f"{path.relative_to(ROOT)}: {found[0]}" for found in LATER.finditer(text)]
    assert not left, "\n".join(left)
