"""Offloads as `ethtool -K` sets them, on a virtual cable; and interfaces that cannot be asked."""

import json
import shutil
import struct
import sys
from collections.abc import Iterator

import pytest

from agent.errors import InputError
from agent.tap import offloads
from agent.tap.offloads import CUTTING, MERGING, CardSettings, card_settings, merging_offloads, offloads_on
from tests.simulators.namespace import Namespace, cable

ASKER = "import json, sys; from agent.tap.offloads import merging_offloads; print(json.dumps(merging_offloads('eth1')))"


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    if shutil.which("ethtool") is None:
        pytest.skip("ethtool is not installed")
    with cable() as made:
        yield made


@pytest.mark.root
def test_what_ethtool_sets(namespace: Namespace) -> None:
    def on() -> list[str]:
        found: list[str] = json.loads(namespace.run(sys.executable, "-c", ASKER))
        return found

    namespace.run("ethtool", "-K", "eth1", "gro", "off")
    assert on() == []
    namespace.run("ethtool", "-K", "eth1", "gro", "on")
    assert on() == ["rx-gro"]
    namespace.run("ethtool", "-K", "eth1", "rx-gro-list", "on")
    assert on() == ["rx-gro", "rx-gro-list"]
    for name in on():
        namespace.run("ethtool", "-K", "eth1", name, "off")
    assert on() == [], "the names are those that ethtool takes"


def test_the_loopback_answers_without_root() -> None:
    assert set(merging_offloads("lo")) <= set(MERGING)


def test_no_such_interface() -> None:
    with pytest.raises(InputError, match="cannot be asked for its offloads") as refused:
        merging_offloads("wardtap-none0")
    assert refused.value.where == "wardtap-none0"


def test_what_cuts_is_asked_for_the_same_way() -> None:
    assert set(offloads_on("lo", CUTTING)) <= set(CUTTING)


def test_a_driver_that_tells_nothing() -> None:
    assert card_settings("lo") == card_settings("wardtap-none0") == CardSettings(None, None)


def test_a_card_s_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As linux/ethtool.h lays them out: most first, present fifth; autonegotiation, receive, transmit."""
    answers = {
        offloads.GRINGPARAM: struct.pack("=9I", offloads.GRINGPARAM, 4096, 0, 0, 4096, 256, 0, 0, 512),
        offloads.GPAUSEPARAM: struct.pack("=4I", offloads.GPAUSEPARAM, 1, 0, 1),
    }
    monkeypatch.setattr(offloads, "_ask", lambda _, __, request: answers[struct.unpack_from("=I", request)[0]])
    assert card_settings("eth1") == CardSettings(ring=(256, 4096), pauses=True)
