"""Is everything dropped that would leave a leg: read from nftables and tc, which `wardtap-leg@` has told so."""

import json
import re
import shutil
import subprocess  # two programs of the system that only list; nothing of a packet's content gets near them
from enum import Enum
from typing import Any, NamedTuple

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # never a folder of whoever calls
TIMEOUT_S = 5.0
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C"}
# nft 1.0.6 leaves the device out of its JSON, so its text is read: `hook egress device "eth1" priority 0; policy drop;`
CHAIN = re.compile(r'hook egress device "?([^"\s]+)"? priority [^;]+; policy (\w+);')
STOPPED = re.compile(r"counter stopped \{\s*packets (\d+)")


class Drop(Enum):
    """What holds a leg back."""

    NFT = "nftables egress hook"
    TC = "tc filter"
    NONE = "nothing"
    UNKNOWN = "not readable"


class Egress(NamedTuple):
    """What is dropped on a leg, and how many frames it has stopped (-1: not counted)."""

    drop: Drop
    stopped: int = -1


def egress(leg: str) -> Egress:
    """How it is for this leg; needs root."""
    listed = _listed("nft", "list", "table", "netdev", f"wardtap_{leg.replace('.', '_')}")
    if listed is not None and nft_drops(listed, leg):
        found = STOPPED.search(listed)
        return Egress(Drop.NFT, int(found[1]) if found else -1)
    filters = _listed("tc", "-j", "filter", "show", "dev", leg, "egress")
    if filters is not None and tc_drops(filters):
        return Egress(Drop.TC)
    return Egress(Drop.UNKNOWN if None in {listed, filters} else Drop.NONE)


def _listed(*command: str) -> str | None:
    """What a program lists; empty when there is nothing, or no such program; None when we may not ask it."""
    program = shutil.which(command[0], path=PATH)
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, and a leg's name that the configuration has checked
            [program, *command[1:]], env=ENVIRONMENT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None if "permitted" in done.stderr or "denied" in done.stderr else ""
    return done.stdout


def nft_drops(listed: str, leg: str) -> bool:
    """Whether a table's text holds an egress chain of this leg that drops."""
    return any(device == leg and policy == "drop" for device, policy in CHAIN.findall(listed))


def tc_drops(filters: str) -> bool:
    """Whether one of the filters matches all and drops it."""
    try:
        held = json.loads(filters)
    except ValueError:
        return False
    return any(_is_drop(one) for one in held) if isinstance(held, list) else False


def _is_drop(one: Any) -> bool:
    if not isinstance(one, dict) or one.get("kind") != "matchall" or one.get("protocol") != "all":
        return False
    options = one.get("options")
    actions = options.get("actions", []) if isinstance(options, dict) else []
    return any(isinstance(act, dict) and act.get("control_action") == {"type": "drop"} for act in actions)
