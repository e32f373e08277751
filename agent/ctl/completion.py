"""`wardtapctl completion`: the words of the command line for bash, made from the parser itself.

source <(wardtapctl completion)
"""

import argparse
from collections.abc import Iterator, Mapping

SCRIPT = """_wardtapctl() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} path= each
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$path $each" in
{deeper}        esac
    done
    case "$path" in
{words}    esac
}}
complete -o default -F _wardtapctl wardtapctl
"""


def words(parser: argparse.ArgumentParser, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """What can follow each command, and each command of a command, by its path (` keys add`)."""
    actions = parser._actions  # noqa: SLF001 - argparse tells it in no other way than as a text for people
    known = [option for action in actions for option in action.option_strings if option.startswith("--")]
    deeper: Mapping[str, argparse.ArgumentParser] = {}
    for action in actions:
        if isinstance(action.choices, Mapping):
            deeper = action.choices
        elif action.choices:
            known += map(str, action.choices)
    yield path, sorted({*known, *deeper})
    for name, inner in deeper.items():
        yield from words(inner, f"{path} {name}")


def script(parser: argparse.ArgumentParser) -> str:
    """A function for bash; files are completed where no word fits."""
    table = dict(words(parser))
    deeper = "".join(f'            "{path}") path="{path}" ;;\n' for path in table if path)
    told = "".join(
        f'        "{path}") mapfile -t COMPREPLY < <(compgen -W "{" ".join(known)}" -- "$word") ;;\n'
        for path, known in table.items()
    )
    return SCRIPT.format(deeper=deeper, words=told)
