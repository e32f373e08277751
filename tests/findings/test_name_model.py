"""Words above chance, drawn letters below it: measured on words that the model did not see."""

import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import InputError
from agent.findings.name_lists import shipped_packs
from agent.findings.name_model import HEAD, MODEL, NameModel, load_model, train

SHIPPED = load_model(shipped_packs())
CHOSEN = {
    *("google", "facebook", "microsoft", "windowsupdate", "akamai", "cloudflare", "philips", "intellivue", "hospital"),
    *(
        "charite",
        "sciencedirect",
        "medscape",
        "springer",
        "wikipedia",
        "amazonaws",
        "doubleclick",
        "netflix",
        "spotify",
    ),
    *("uniklinikum", "krankenhaus", "draeger", "siemens-healthineers"),
}


def test_what_people_chose() -> None:
    assert [name for name in CHOSEN if SHIPPED.score(name) <= 0] == []


@pytest.mark.parametrize(
    "letters", [string.ascii_lowercase, string.ascii_lowercase + string.digits, "0123456789abcdef"]
)
def test_what_was_drawn(letters: str) -> None:
    rng = random.Random(20261127)
    drawn = ["".join(rng.choices(letters, k=rng.randint(8, 20))) for _ in range(500)]
    assert sum(SHIPPED.score(name) < 0 for name in drawn) >= 450


def test_a_table_is_learned_from_words() -> None:
    model = NameModel(train(["abab", "ab"] * 50))
    assert model.score("abab") > 1
    assert model.score("ba") < 0
    assert NameModel().score("whatever") == 0


@given(st.text(max_size=300))
def test_any_text_has_a_score(text: str) -> None:
    assert -8 <= SHIPPED.score(text) <= 8


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path)
    (tmp_path / MODEL).write_bytes(HEAD + bytes(7))
    with pytest.raises(InputError, match="no letter model"):
        load_model(tmp_path)
