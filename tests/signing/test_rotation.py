"""A key that was not made for this tap is not entered for it."""

import pytest

from agent.errors import Refused
from agent.signing.rotation import proof_text, proven
from tests.signing.people import AGENT, STRANGER


def test_the_keys_own_word_for_this_tap() -> None:
    raw = AGENT.public.raw
    assert proven("ward", "tap-1", raw, AGENT.sign(proof_text("ward", "tap-1", raw))) == AGENT.public


@pytest.mark.parametrize(
    ("site", "agent", "signer"), [("other", "tap-1", AGENT), ("ward", "tap-2", AGENT), ("ward", "tap-1", STRANGER)]
)
def test_anything_else_is_no_proof(site: str, agent: str, signer: object) -> None:
    raw = AGENT.public.raw
    proof = (STRANGER if signer is STRANGER else AGENT).sign(proof_text(site, agent, raw))
    with pytest.raises(Refused) as caught:
        proven("ward", "tap-1", raw, proof)
    assert caught.value.reason == "bad-proof"


def test_a_weak_key_proves_nothing() -> None:
    with pytest.raises(Refused) as caught:
        proven("ward", "tap-1", (1).to_bytes(32, "little"), bytes(64))
    assert caught.value.reason == "bad-key"
