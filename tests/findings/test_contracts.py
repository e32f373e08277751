"""The shipped contracts, and folders that cannot be used."""

import shutil
from pathlib import Path

import pytest

from agent.devices.records import Scope
from agent.devices.roles import ROLES, TIERS
from agent.errors import ConfigError
from agent.findings.catalogue import CATALOGUE, CLINICAL_ROLES, OF_THE_TAP
from agent.findings.contracts import EXPECTED_MAX, FILE_MAX_BYTES, FILES_MAX, ContractSet, shipped_folder
from agent.findings.records import Severity
from tests.findings.bench import CONTRACTS, IN, Bench, ids

WANTED = (
    *sorted(CLINICAL_ROLES), "nurse-call", "tube-station", "building-control",  # of a ward and of its building
    "clinical-workstation", "printer",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped contracts."""
    return Path(shutil.copytree(shipped_folder(), tmp_path / "contracts"))


@pytest.mark.parametrize("role", WANTED)
def test_the_roles_that_must_have_one(role: str) -> None:
    contract = CONTRACTS.contract(role)
    assert contract is not None
    assert contract.tier == TIERS[role]
    assert all(line.source for line in (*contract.does, *contract.never))
    assert all(line.verified for line in contract.never)
    assert 40 < len(CONTRACTS.expected(role)) <= EXPECTED_MAX


def test_what_a_patient_needs_at_once_has_a_contract() -> None:
    wanted = {role for role, tier in TIERS.items() if tier in {"vital", "clinical"}}
    assert wanted <= {role for role in ROLES if CONTRACTS.contract(role) is not None}


@pytest.mark.parametrize(
    ("role", "peer", "port", "protocol"),
    [
        ("anaesthesia", "central-station", 51234, 6),
        ("anaesthesia", "serial-gateway", 4001, 6),
        ("anaesthesia", "hospital-server", 2575, 6),
        ("lab-analyser", "hospital-server", 4545, 6),
        ("lab-analyser", "hospital-server", 445, 6),
        ("dispensing-cabinet", "hospital-server", 1433, 6),
        ("dispensing-cabinet", "printer", 9100, 6),
        ("nurse-call", "voip-phone", 5060, 17),
        ("nurse-call", "nurse-call", 17000, 6),
        ("pump-gateway", "infusion-pump", 40123, 6),
        ("pump-gateway", "hospital-server", 1433, 6),
        ("tube-station", "hospital-server", 12345, 17),
    ],
)
def test_what_such_a_role_does_is_no_finding(bench: Bench, role: str, peer: str, port: int, protocol: int) -> None:
    edge = bench.edge(bench.add(role), bench.add(peer), port, protocol=protocol)
    assert not bench.judge([edge])


@pytest.mark.parametrize(
    ("role", "peer", "port"),
    [
        ("anaesthesia", "office-workstation", 445),
        ("lab-analyser", "office-workstation", 4545),
        ("dispensing-cabinet", "ip-camera", 8000),
        ("pump-gateway", "office-workstation", 7777),
    ],
)
def test_what_a_clinical_role_does_beside_that_is_a_breach(bench: Bench, role: str, peer: str, port: int) -> None:
    (found,) = bench.judge([bench.edge(bench.add(role), bench.add(peer), port)])
    assert (found.id, found.severity) == ("contract-breach", Severity.PAGE)


def test_a_tube_station_never_takes_telnet(bench: Bench) -> None:
    (found, *_) = bench.judge(
        [bench.edge(bench.add("tube-station"), bench.add("office-workstation"), 23, direction=IN)]
    )
    assert (found.id, found.severity) == ("contract-breach", Severity.REVIEW)
    assert "must never do" in found.sentence
    assert "ICSMA-21-215-01" in str(dict(found.evidence)["source"])


def test_tiers_agree_with_the_roles() -> None:
    assert {role: CONTRACTS.tier(role) for role in ROLES} == TIERS
    assert all(TIERS[role] in ("vital", "clinical") for role in CLINICAL_ROLES)


def test_no_contract_of_a_clinical_role_opens_the_internet() -> None:
    for role in CLINICAL_ROLES:
        contract = CONTRACTS.contract(role)
        lines = contract.does if contract else ()
        assert not [line.what for line in lines if Scope.INTERNET in line.scopes and not line.networks]


def test_every_id_about_a_device_has_techniques() -> None:
    assert set(CONTRACTS.attack.techniques) == set(CATALOGUE) - OF_THE_TAP
    assert "ICS" in CONTRACTS.attack.version


def test_the_version_names_exactly_these_contracts(folder: Path) -> None:
    assert ContractSet.load(folder, ROLES).version == CONTRACTS.version
    (folder / "printer.toml").write_text((folder / "printer.toml").read_text() + "\n# the site was here\n")
    assert ContractSet.load(folder, ROLES).version != CONTRACTS.version


def test_a_site_can_name_a_makers_service(folder: Path) -> None:
    path = folder / "imaging-modality.toml"
    path.write_text(
        path.read_text()
        + '\n[[does]]\nwhat = "reach the maker"\ndirection = "originates"\npeers = ["internet"]\nprotocol = "tcp"\n'
        'ports = [443]\nnetworks = ["203.0.113.0/28"]\nsource = "service contract"\nverified = "V"\n'
    )
    bench = Bench()
    bench.engine = type(bench.engine)(ContractSet.load(folder, ROLES), bench.settings, bench.baseline)
    modality = bench.add("imaging-modality")
    assert not bench.judge([bench.edge(modality, "203.0.113.9", 443)])
    assert ids(bench.judge([bench.edge(modality, "203.0.113.19", 443)])) == ["internet-contact"]
    assert ids(bench.judge([bench.edge(modality, "203.0.113.9", 80)])) == ["internet-contact"]


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as refusal:
        ContractSet.load(folder, ROLES)
    return str(refusal.value)


def test_folders_that_cannot_be_used(folder: Path, tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "nothing")
    assert "cannot be read" in refused(folder / "printer.toml")
    (folder / "infusionpump.toml").write_text("")
    assert "'infusionpump' is not a role (did you mean 'infusion-pump'?)" in refused(folder)
    (folder / "infusionpump.toml").unlink()
    (folder / "printer.toml").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in refused(folder)
    (folder / "printer.toml").write_bytes(b"#" * (FILE_MAX_BYTES + 1))
    assert "longer than" in refused(folder)
    (folder / "printer.toml").unlink()
    (folder / "printer.toml").mkdir()
    assert "cannot be read" in refused(folder)


def test_a_folder_without_the_technique_map(folder: Path) -> None:
    (folder / "attack.toml").unlink()
    assert "technique map is missing" in refused(folder)


def test_a_folder_without_contracts(tmp_path: Path) -> None:
    shutil.copy(shipped_folder() / "attack.toml", tmp_path)
    assert "no contract in this folder" in refused(tmp_path)


def test_too_many_files(tmp_path: Path) -> None:
    for number in range(FILES_MAX + 1):
        (tmp_path / f"r{number}.toml").touch()
    assert "more than" in refused(tmp_path)


def test_without_common_lines_nothing_is_shared(folder: Path) -> None:
    (folder / "common.toml").unlink()
    bench = Bench()
    bench.engine = type(bench.engine)(ContractSet.load(folder, ROLES), bench.settings, bench.baseline)
    pump = bench.add("infusion-pump")
    assert ids(bench.judge([bench.edge(pump, "10.1.1.1", 53)])) == ["contract-breach"]
