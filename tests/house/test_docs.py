"""What the pages say and what the files hold is the same."""

import re
from pathlib import Path

import pytest

import agent
from agent.findings.catalogue import CATALOGUE
from tests.house.tree import ROOT, python_files

DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
INSTALL_WORD = re.compile(r"\./install\.sh\s+([a-z][a-z-]*)")
PROGRAM_WORD = re.compile(r"(?<![\w/.-])(wardtap|wardtapctl|wardtap-collector)\s+([a-z][a-z-]*)")
PROGRAM_FILES = {"wardtap": "agent/service", "wardtapctl": "agent/ctl", "wardtap-collector": "agent/collector"}
FOLDERS = ("docs", "hw", "firmware_config", "tests")
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md")))
)


def read(name: str) -> str:
    """A page's text; a page that must exist and does not fails the test that asks."""
    path = ROOT / name
    assert path.is_file(), f"{name} is missing"
    return path.read_text(encoding="utf-8")


def code(text: str) -> str:
    """The code of a page: fenced blocks and spans; prose may use the programs' names as words."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return "\n".join((*blocks, *spans))


def test_every_decision_is_in_the_index() -> None:
    index = read("docs/decisions/README.md")
    pages = {path.name for path in DECISIONS.glob("*.md")} - {"README.md"}
    assert pages, "no decision is written down"
    listed = {Path(target).name for target in LINK.findall(index)} & {
        name for name in LINK.findall(index) if "/" not in name
    }
    assert pages == listed


def test_changelog_names_the_version() -> None:
    assert re.search(rf"^## .*\b{re.escape(agent.__version__)}\b", read("CHANGELOG.md"), re.MULTILINE)
    assert f'version = "{agent.__version__}"' in read("pyproject.toml")


def test_every_finding_the_code_raises_is_documented() -> None:
    page = read("docs/findings.md")
    rows = "\n".join(line for line in page.splitlines() if line.startswith(("|", "#")))
    documented = set(re.findall(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", rows))
    missing = sorted(set(CATALOGUE) - documented)
    assert CATALOGUE
    assert not missing, f"in the catalogue and not in docs/findings.md: {missing}"


def test_every_id_a_detector_names_is_in_the_catalogue() -> None:
    """An id is spelled as a literal in a detector, or comes from the catalogue itself."""
    spelled = re.compile(r"""\bid=["']([a-z0-9-]+)["']""")
    for path in python_files("agent/findings", "agent/service"):
        strange = set(spelled.findall((ROOT / path).read_text(encoding="utf-8"))) - set(CATALOGUE)
        assert not strange, f"{path} raises {strange}, which the catalogue does not know"


def install_commands() -> set[str]:
    """The words install.sh understands: labels of its case statements."""
    labels = re.findall(r"^\s*\(?([a-z][a-z |-]*)\)", read("install.sh"), re.MULTILINE)
    return {word.strip() for label in labels for word in label.split("|")}


def test_readme_commands_exist() -> None:
    readme = read("README.md")
    words = set(INSTALL_WORD.findall(code(readme)))
    assert {"demo", "test"} <= words, "the newcomer's two commands are not on the first page"
    assert words <= install_commands(), f"README says {words - install_commands()}, install.sh does not know it"


@pytest.mark.parametrize("name", [str(path) for path in PAGES])
def test_commands_of_every_page_exist(name: str) -> None:
    text = code(read(name))
    assert set(INSTALL_WORD.findall(text)) <= install_commands()
    for program, word in PROGRAM_WORD.findall(text):
        sources = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in python_files(PROGRAM_FILES[program]))
        spelled = re.search(rf"""["']{re.escape(word)}["']|def {re.escape(word.replace("-", "_"))}\(""", sources)
        assert spelled, f"{name}: {program} {word} does not exist"


@pytest.mark.parametrize("name", [str(path) for path in PAGES])
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in LINK.findall(read(name)):
        if "://" not in target and not target.startswith("mailto:"):
            assert (folder / target).exists(), f"{name} links to {target}"


def test_every_folder_of_tests_is_described() -> None:
    page = read("tests/README.md")
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    missing = sorted(name for name in folders if f"`{name}/`" not in page)
    assert not missing, f"tests/README.md does not say what {missing} prove"


def test_every_program_exists() -> None:
    for target in re.findall(r'^wardtap\S* = "([\w.]+):main"', read("pyproject.toml"), re.MULTILINE):
        assert (ROOT / Path(*target.split("."))).with_suffix(".py").is_file(), f"{target} is promised in pyproject.toml"
