"""The agent's key, and how it becomes another one: new signed by old, in use once the trust table knows it.

`rotate-key` draws the next key into `agent.key.next` and tells its public half in a receipt, which the present key
signs; the next key signs the agent's name beside it, so that nobody can have somebody else's key entered. Release keys
put it into the trust table (`wardtapctl keys add`); as soon as a table with it arrives, the uplink signs with it, and
the key before it lies in `agent.key.old` until the next change.
"""

from pathlib import Path
from typing import Any

from agent.durable import fsync_folder
from agent.errors import WardtapError
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.signing.rotation import proof_text
from agent.wire.types import Role

NAME, NEXT, OLD = "agent.key", "agent.key.next", "agent.key.old"


class KeyChange:
    """The key files in the uplink's folder."""

    def __init__(self, folder: Path, site: str, agent: str) -> None:
        """StateError or PermissionNeeded when there is no key to use."""
        self._folder, self._site, self._agent = folder, site, agent
        if not (folder / NAME).exists() and (folder / NEXT).exists() and (folder / OLD).exists():
            (folder / NEXT).rename(folder / NAME)  # the power went between the two renames of `adopt`
        self.key = PrivateKey.load(folder / NAME)

    def draw(self) -> dict[str, Any]:
        """The next key, drawn once until it is in use; its public half, fingerprint and proof."""
        path = self._folder / NEXT
        try:
            fresh = PrivateKey.load(path)
        except WardtapError:
            path.unlink(missing_ok=True)
            fresh = PrivateKey.generate()
            fresh.save(path)
            fsync_folder(self._folder)
        raw = fresh.public.raw
        proof = fresh.sign(proof_text(self._site, self._agent, raw))
        return {"public": raw, "fingerprint": fresh.public.fingerprint, "proof": proof}

    def adopt(self, trust: Trust) -> bool:
        """Take the next key into use when this table has it for us; whether the key is another one now."""
        try:
            fresh = PrivateKey.load(self._folder / NEXT)
        except WardtapError:
            return False
        entry = trust.find(fresh.key_id)
        if entry is None or (entry.role, entry.name, entry.site) != (Role.AGENT, self._agent, self._site):
            return False
        (self._folder / NAME).replace(self._folder / OLD)
        (self._folder / NEXT).replace(self._folder / NAME)
        fsync_folder(self._folder)
        self.key = fresh
        return True
