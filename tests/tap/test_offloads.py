"""Offloads as `ethtool -K` sets them, on a virtual cable; and interfaces that cannot be asked."""

import json
import shutil
import sys
from collections.abc import Iterator

import pytest

from agent.errors import InputError
from agent.tap.offloads import MERGING, merging_offloads
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
