import stat
from pathlib import Path

import pytest

from agent import config
from agent.clock import SystemClock
from agent.ctl.lab import Lab, make_lab
from agent.errors import InputError, Refused, StateError
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.signing.trust import load_trust


def test_every_part_finds_what_it_needs(lab: Lab, trust: Trust) -> None:
    held = {
        "agent": lab.agent / "uplink" / "agent.key",
        "collector": lab.collector / "collector.key",
        **{role: lab.operator / f"{role}.key" for role in ("operator", "engineer", "custodian")},
    }
    for role, path in held.items():
        entry = trust.find(PrivateKey.load(path).key_id)
        assert entry is not None
        assert (entry.role, entry.site) == (role, "ward")
    assert [entry.name for entry in trust.agents()] == ["tap-1"]
    for place in (lab.agent / "uplink", lab.collector):
        assert len(load_trust(place / "trust.bin")) == len(trust)
    for folder in ("sensor/spool", "uplink/spool", "requests"):
        assert (lab.agent / folder).is_dir()


def test_the_configuration_is_one_that_the_agent_takes(lab: Lab) -> None:
    found = config.load(lab.agent / "wardtap.toml")
    assert (found.site.site, found.site.agent) == ("ward", "tap-1")
    assert found.uplink.broker == "mqtt://127.0.0.1:1883"
    assert found.state.path == lab.agent.resolve()


def test_keys_are_private_and_never_written_over(lab: Lab) -> None:
    for path in lab.folder.rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with pytest.raises(StateError, match="not empty"):
        make_lab(lab.folder, site="ward", agent="tap-1", broker="mqtt://x", clock=SystemClock())


@pytest.mark.parametrize("name", ["", "Ward 3", "../x", "x" * 33, "wärd"])
def test_bad_names_are_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    for site, agent in ((name, "tap-1"), ("ward", name)):
        with pytest.raises(InputError):
            make_lab(tmp_path / "lab", site=site, agent=agent, broker="mqtt://x", clock=SystemClock())
    assert not (tmp_path / "lab").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError):
        make_lab(tmp_path / "file" / "lab", site="ward", agent="tap-1", broker="mqtt://x", clock=SystemClock())


def test_a_broker_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        make_lab(tmp_path / "lab", site="ward", agent="tap-1", broker="nonsense", clock=SystemClock())


def test_another_root_does_not_believe_its_table(lab: Lab, tmp_path: Path) -> None:
    other = make_lab(tmp_path / "other", site="ward", agent="tap-1", broker="mqtt://x", clock=SystemClock())
    with pytest.raises(Refused):
        load_trust(lab.collector / "trust.bin", other.collector / "trust-root.json")
