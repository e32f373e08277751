"""`record-headers`: decoded header rows of one device into a file, a minute and 5 MB at most. Never a payload.

A row is what the decoder made of a frame's headers; it is written as a line of JSON. The file stays in the sensor's
folder, for the person who comes for it; the three newest are kept.
"""

import hashlib
import json
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from agent.clock import NS_PER_S
from agent.commands.requests import Request
from agent.errors import Refused
from agent.packets.records import PACKET, Rows, Verdict

FOLDER = "headers"
FILE_BYTES_MAX = 5_000_000
FILES_KEPT = 3
PLAIN = (
    *("time_ns", "leg", "vlan", "vlan_inner", "ethertype", "ip_version", "protocol", "src_port", "dst_port", "ttl"),
    *("ip_id", "tcp_flags", "tcp_seq", "tcp_ack", "tcp_window", "wire_octets", "l3_octets", "payload_octets"),
    *("application", "tunnels", "verdict", "flags"),
)  # names of PACKET whose value is written as it is; where a payload lies is not among them
assert set(PLAIN) <= set(PACKET.fields or ())


class HeaderRows:
    """At most one recording at a time."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "sensor" / FOLDER
        self._file: BinaryIO | None = None
        self._request: Request | None = None
        self._mac = self._until_ns = 0
        self._hash = hashlib.sha256()
        self.rows = self.left_out = self.octets = self.overload = 0  # overload: frames of anybody, not looked at
        self._untold = False

    @property
    def runs(self) -> bool:
        """Whether one runs now."""
        return self._file is not None

    def start(self, request: Request, now_ns: int) -> None:
        """Begin; Refused `busy` while another one runs, OSError when there is no file to write."""
        if self._file is not None:
            raise Refused("another recording runs", reason="busy")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody's but the sensor's and root's
        for old in sorted(self._folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)[: 1 - FILES_KEPT]:
            old.unlink()
        self._file = (self._folder / f"{request.id.hex()}.jsonl").open("xb")
        self._request, self._untold = request, True
        self._mac = int(request.args["device"].replace(":", ""), 16)
        self._until_ns = now_ns + request.args["seconds"] * NS_PER_S
        self._hash = hashlib.sha256()
        self.rows = self.left_out = self.octets = self.overload = 0

    def take(self, rows: Rows, count: int) -> None:
        """Of one burst's rows those that the device sent or that were sent to it."""
        if self._file is None:
            return
        here = rows[:count]
        # Under overload nothing of a frame is read, and its row still holds what another frame left there.
        looked = here["verdict"] != Verdict.OVERLOAD
        self.overload += count - int(np.count_nonzero(looked))
        ours = (here["src_mac"] == self._mac) | (here["dst_mac"] == self._mac)
        for place in np.flatnonzero(ours & looked).tolist():
            line = json.dumps(_told(here[place]), separators=(",", ":")).encode() + b"\n"
            if self.octets + len(line) > FILE_BYTES_MAX:
                self.left_out += 1
                continue
            self._file.write(line)
            self._hash.update(line)
            self.rows, self.octets = self.rows + 1, self.octets + len(line)

    def due(self, now_ns: int) -> bool:
        """Whether its time is over, or its file is full."""
        return self._file is not None and (now_ns >= self._until_ns or self.left_out > 0)

    def finish(self) -> tuple[Request, str, dict[str, Any]]:
        """End it: whose it was, why it is not whole (the disk), and what the receipt tells."""
        assert self._file is not None
        assert self._request is not None
        fault, file, self._file = "", self._file, None
        try:
            file.close()
        except OSError as error:
            fault = f"state: {error.strerror}"
        told = {
            "rows": self.rows,
            "left_out": self.left_out,
            "overload": self.overload,
            "octets": self.octets,
            "sha256": self._hash.digest(),
        }
        return self._request, fault, told | {"file": f"{FOLDER}/{self._request.id.hex()}.jsonl"}

    def health(self, now_ns: int) -> dict[str, int | str]:
        """For every summary while it runs, and once for the interval in which it ended."""
        if not self._untold or self._request is None:
            return {}
        self._untold = self.runs
        left_s = max(0, (self._until_ns - now_ns) // NS_PER_S) if self.runs else 0
        told = f"headers of {self._request.args['device']}, {self.rows} rows, {left_s} s left"
        who = {"recording_command": self._request.id.hex(), "recording_by": ", ".join(self._request.signers)}
        return {"recording": told, **who}


def _told(row: Any) -> dict[str, int | str]:
    told: dict[str, int | str] = {name: int(row[name]) for name in PLAIN}
    for end in ("src", "dst"):
        told[f"{end}_mac"] = int(row[f"{end}_mac"]).to_bytes(8, "big")[2:].hex(":")
        if row["ip_version"]:
            told[end] = _address(int(row[f"{end}_hi"]), int(row[f"{end}_lo"]))
    return told


def _address(high: int, low: int) -> str:
    address = IPv6Address(high << 64 | low)
    return str(address.ipv4_mapped or address)
