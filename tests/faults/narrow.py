"""`python -m tests.faults.narrow FOLDER rate|silence|down SECONDS`, inside a network namespace: a wire that fails.

All of it, broker and collector too, talks over the namespace's loopback, so a record and its acknowledgement cross the
narrow place twice. Prints one JSON line: what was promised, lost and stored twice, and how long findings took.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from agent.clock import NS_PER_S
from tests.faults.site import Site

PAUSE_S = 0.5  # 8 summaries and 2 findings a second: more than 64 kbit/s carry twice
RATE = ("tc", "qdisc", "replace", "dev", "lo", "root", "tbf", "rate", "64kbit", "burst", "3kb", "latency", "400ms")
SILENCE = "add table ip hole\nadd chain ip hole heard { type filter hook input priority 0; policy drop; }\n"
DOWN = ("ip", "link", "set", "lo", "down")
BEGIN = {"rate": (RATE, ""), "silence": (("nft", "-f", "-"), SILENCE), "down": (DOWN, "")}
END = {
    "rate": ("tc", "qdisc", "delete", "dev", "lo", "root"),
    "silence": ("nft", "delete", "table", "ip", "hole"),
    "down": ("ip", "link", "set", "lo", "up"),
}


def run(words: tuple[str, ...], text: str = "") -> None:
    """A command that must work."""
    done = subprocess.run(words, input=text, text=True, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, (words, done.stderr)


def main(folder: Path, fault: str, seconds: float) -> None:
    """One failing of the wire."""
    run(("ip", "link", "set", "lo", "up", "mtu", "1500"))  # a bucket of 3 kB never lets larger ones through
    site = Site(folder, pause_s=PAUSE_S)
    try:
        while site.tally().sent == 0 or site.tally().lost == site.tally().sent:
            site.idle()
        began_ns = time.time_ns()
        run(*BEGIN[fault])
        time.sleep(seconds)
        behind, noticed = site.tally().lost, "no link to" in site.said()
        run(END[fault])
        ended_ns = time.time_ns()
        while not any(at_ns > ended_ns for at_ns, _ in site.waits_s()):
            site.idle()
        site.rest()
        found, waits = site.delivered(), site.waits_s()
        back_ns = min(at_ns + wait_s * NS_PER_S for at_ns, wait_s in waits if at_ns + wait_s * NS_PER_S > ended_ns)
        during = sorted(wait_s for at_ns, wait_s in waits if began_ns < at_ns < ended_ns)
        told = found._asdict() | {"behind": behind, "resumed_s": (back_ns - ended_ns) / NS_PER_S, "waits_s": during}
        told["noticed"] = noticed
        sys.stdout.write(json.dumps(told | {"log": site.said()[-500:]}))
    finally:
        site.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
