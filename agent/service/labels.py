"""What people call a device: an operator's signed orders by address, shown on its card. Never from the network."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from agent.commands.requests import DEVICE, LABEL
from agent.durable import write_atomically
from agent.errors import Refused
from agent.wire.summary import EVIDENCE_MAX, NAMES_MAX, Card

LABELS_MAX = 4096  # as many as there are device slots
_BYTES_MAX = 512 * 1024
SIGNAL = "label"


class Labels:
    """By MAC address, in one small file."""

    def __init__(self, path: Path) -> None:
        """A file that is no such table is as none: a label is no evidence and no reason not to listen."""
        self._path = path
        self._labels = self._read()

    def _read(self) -> dict[bytes, str]:
        try:
            with self._path.open("rb") as file:
                held = json.loads(file.read(_BYTES_MAX))
            if not isinstance(held, dict) or len(held) > LABELS_MAX:
                return {}
            good = all(DEVICE.fullmatch(mac) and LABEL.fullmatch(text) for mac, text in held.items())
        except (OSError, ValueError, TypeError, RecursionError):
            return {}
        return {bytes.fromhex(mac.replace(":", "")): text for mac, text in held.items()} if good else {}

    @property
    def all(self) -> Mapping[bytes, str]:
        """Every label by MAC."""
        return MappingProxyType(self._labels)

    def put(self, device: str, label: str) -> None:
        """Set or (empty) take away; Refused `busy` when the table is full, OSError when it cannot be kept."""
        mac = bytes.fromhex(device.replace(":", ""))
        fresh = {key: text for key, text in self._labels.items() if key != mac}
        if label:
            fresh[mac] = label
        if len(fresh) > LABELS_MAX:
            raise Refused("too many labels", reason="busy")
        held = {key.hex(":"): text for key, text in fresh.items()}
        write_atomically(self._path, json.dumps(held).encode())
        self._labels = fresh

    def on(self, card: Card) -> Card:
        """The card with its label as the first name and the first reason, of no weight: it says nothing of the role."""
        label = self._labels.get(card.mac)
        if label is None:
            return card
        names = (label, *card.names)[:NAMES_MAX]
        evidence = ((SIGNAL, label, 0), *card.evidence)[:EVIDENCE_MAX]
        return card._replace(names=names, evidence=evidence)
