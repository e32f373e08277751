"""A tap's next key proves whose it is: it signs the tap's name beside itself, and the present key signs the receipt."""

from agent.errors import Refused
from agent.signing.keys import PublicKey

PROOF_TAG = b"wardtap.rotate.v1"


def proof_text(site: str, agent: str, public: bytes) -> bytes:
    """What the next key signs: that it is meant for this agent of this site. Names hold no zero octet."""
    return b"\0".join((PROOF_TAG, site.encode(), agent.encode(), public))


def proven(site: str, agent: str, public: bytes, proof: bytes) -> PublicKey:
    """The next key; Refused `bad-key` for a weak one, `bad-proof` when it was not made for this agent."""
    key = PublicKey.from_bytes(public)
    if not key.verify(proof, proof_text(site, agent, public)):
        raise Refused(f"the proof is not that of a key for {agent} at {site}", reason="bad-proof")
    return key
