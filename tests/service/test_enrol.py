"""A new tap takes a kit whole or not at all, and asks with a key that nobody else has seen."""

import json
from pathlib import Path

import pytest

from agent.clock import CaptureClock, ClockState
from agent.errors import Refused, StateError
from agent.service.cli import main
from agent.service.enrol import enrol, hardware_id
from agent.service.timekeeping import KeptTime
from agent.signing.envelope import open_enrol
from agent.signing.kit import VALID_NS_MAX, Kit, write_kit
from agent.signing.trust import build_trust, load_trust, root_json
from tests.simulators.kit import SITE, key_of
from tests.simulators.kit import Kit as Site

NOW_NS = 1_790_000_000 * 10**9


def kit_of(site: Site, **changes: object) -> Kit:
    root = root_json([key.public for key in site.releases])
    made = Kit(
        SITE, "tap-9", b"t" * 16, NOW_NS, NOW_NS + VALID_NS_MAX, "mqtt://127.0.0.1:1883", site.sealed_trust, root
    )
    return made._replace(**changes)  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "elsewhere")


def take(kit: Kit, state: Path, agent: str = "tap-9") -> str:
    return enrol(kit, state, SITE, agent, CaptureClock(NOW_NS))


def test_a_tap_asks_with_its_own_new_key(site: Site, tmp_path: Path) -> None:
    shown = take(kit_of(site), tmp_path)
    own = tmp_path / "uplink"
    content, key = open_enrol((own / "enrol.bin").read_bytes())
    assert (content["agent"], content["site"], content["token"]) == ("tap-9", SITE, b"t" * 16)
    assert key.fingerprint == shown
    assert (own / "agent.key").stat().st_mode & 0o777 == 0o600
    assert len(load_trust(own / "trust.bin")) == len(site.trust)
    clock = KeptTime(own / "time.json", CaptureClock(0), lambda: None, lambda: 0)
    assert clock.wall_ns() >= NOW_NS, "the kit's time is a floor"


def test_taken_again_it_asks_for_the_same_key(site: Site, tmp_path: Path) -> None:
    assert take(kit_of(site), tmp_path) == take(kit_of(site, token=b"u" * 16), tmp_path)


def test_its_certificates_lie_where_only_the_uplink_reads(site: Site, tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
    take(kit_of(site, ca=pem, certificate=pem, key=pem), tmp_path)
    assert (tmp_path / "uplink" / "tls" / "bootstrap.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "uplink" / "tls" / "ca.pem").read_text() == pem


class Synced(CaptureClock):
    """A clock that somebody keeps."""

    def state(self) -> tuple[ClockState, int]:
        return "synced", 1


def test_a_kit_of_yesterday_is_not_taken_when_the_time_is_known(site: Site, tmp_path: Path) -> None:
    late = Synced(NOW_NS + VALID_NS_MAX + 1)
    with pytest.raises(Refused) as caught:
        enrol(kit_of(site), tmp_path, SITE, "tap-9", late)
    assert caught.value.reason == "expired-kit"
    assert not (tmp_path / "uplink").exists()


def test_what_is_wrong_changes_nothing(site: Site, tmp_path: Path) -> None:
    others = [key_of(f"thief-{number}") for number in range(3)]
    forged = build_trust([], others[:2], version=9, site=SITE)
    elsewhere = build_trust([], site.releases[:2], version=1, site="elsewhere")
    for kit, agent in (
        (kit_of(site), "tap-1"),
        (kit_of(site, trust=forged), "tap-9"),
        (kit_of(site, trust=elsewhere), "tap-9"),
        (kit_of(site, trust=b"noise"), "tap-9"),
        (kit_of(site, root="{}"), "tap-9"),
    ):
        with pytest.raises((Refused, StateError)):
            take(kit, tmp_path, agent)
    assert not (tmp_path / "uplink").exists()


def test_an_enrolled_tap_is_not_taken_over_by_another_kit(site: Site, tmp_path: Path) -> None:
    take(kit_of(site), tmp_path)
    before = (tmp_path / "uplink" / "trust.bin").read_bytes()
    others = [key_of(f"thief-{number}") for number in range(3)]
    foreign = kit_of(
        site,
        trust=build_trust([], others[:2], version=9, site=SITE),
        root=root_json([key.public for key in others]),
    )
    with pytest.raises(StateError, match="another root"):
        take(foreign, tmp_path)
    older = build_trust(site.entries, site.releases[:2], version=3, site=SITE)
    (tmp_path / "uplink" / "trust.bin").write_bytes(older)
    with pytest.raises(StateError, match="enrolled already"):
        take(kit_of(site), tmp_path)
    assert (tmp_path / "uplink" / "trust.bin").read_bytes() == older != before


def test_the_hardware_says_who_it_is_or_nothing(tmp_path: Path) -> None:
    serial = tmp_path / "serial"
    assert hardware_id((serial,)) == ""
    serial.write_bytes(b"10000000abcdef01\x00")
    assert hardware_id((tmp_path / "none", serial)) == "10000000abcdef01"
    serial.write_bytes(b"\x1b[2J")
    assert hardware_id((serial,)) == ""


def test_the_program(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "wardtap.toml").write_text(f'[site]\nsite = "{SITE}"\nagent = "tap-9"\n')
    path = tmp_path / "kit.json"
    path.write_bytes(write_kit(kit_of(site, issued_ns=NOW_NS)))
    code = main(["enrol", "--kit", str(path), "--state", str(state)])
    said = capsys.readouterr()
    assert code == 0 or "older than a day" in said.err
    path.write_text(json.dumps({"version": 1}))
    assert main(["enrol", "--kit", str(path), "--state", str(state)]) == 6
    assert main(["enrol", "--kit", str(tmp_path / "none"), "--state", str(state)]) == 7
