"""Real captures with known devices: the role of every device that is named there."""

import json
import re
from pathlib import Path

import pytest

from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.devices.roles import TIERS
from agent.summaries.privacy import Pseudonyms
from tests.devices.slow_ward import Ward

pytestmark = pytest.mark.captures

PACS, CT, READING, SERVER = 0xD4AE52772011, 0x444B5D0C217E, 0x9CB654410A33, 0xD4AE52772011
PAGE = 0.6  # the confidence from which a role may page
TRUTH: list[tuple[str, int, str, float]] = [
    ("clinical/bacnet_cov", 0x00108D0B5520, "building-control", PAGE),
    ("clinical/bacnet_cov", 0x0040AE03197A, "building-control", PAGE),
    ("clinical/cart_policy_site", 0x484D7EA25C61, "clinical-workstation", PAGE),
    ("clinical/cart_policy_site", SERVER, "hospital-server", 0.4),
    ("clinical/cast_mdns_ssdp", 0x5460093CD812, "voice-assistant", PAGE),
    ("clinical/cast_mdns_ssdp", 0x3C286D1044A1, "phone", 0.4),
    ("clinical/dhcp_rogue", 0x00D075183C04, "infusion-pump", PAGE),
    ("clinical/dhcp_rogue", 0x0009FB2E770D, "patient-monitor", PAGE),
    ("clinical/dhcp_rogue", SERVER, "hospital-server", 0.4),
    ("clinical/dicom_onpath", CT, "imaging-modality", PAGE),
    ("clinical/dicom_onpath", PACS, "pacs", PAGE),
    ("clinical/dicom_onpath_proxy", CT, "imaging-modality", PAGE),
    ("clinical/dicom_onpath_proxy", PACS, "pacs", PAGE),
    ("clinical/dicom_probe", CT, "imaging-modality", PAGE),
    ("clinical/dicom_probe", PACS, "pacs", PAGE),
    ("clinical/dicom_probe", READING, "clinical-workstation", 0.4),
    ("clinical/dicom_store_find", CT, "imaging-modality", PAGE),
    ("clinical/dicom_store_find", PACS, "pacs", PAGE),
    ("clinical/dicom_store_find", READING, "clinical-workstation", 0.4),
    ("clinical/dicom_tls", CT, "imaging-modality", PAGE),
    ("clinical/dicom_tls", PACS, "pacs", 0.4),
    ("clinical/hl7_heartbeat_lost", 0x0009FB2E6190, "patient-monitor", PAGE),
    ("clinical/hl7_heartbeat_lost", SERVER, "hospital-server", PAGE),
    ("clinical/hl7_second_receiver", 0x0009FB2E6190, "patient-monitor", PAGE),
    ("clinical/hl7_second_receiver", SERVER, "hospital-server", PAGE),
    ("clinical/imaging_beacon", 0x0008FB5219D0, "imaging-modality", PAGE),
    ("clinical/imaging_beacon", PACS, "pacs", 0.4),
    ("clinical/imaging_mining", 0x0008FB5219D0, "imaging-modality", PAGE),
    ("clinical/imaging_mining", PACS, "pacs", 0.4),
    ("clinical/pump_445_scan", 0x00D07518429B, "infusion-pump", PAGE),
    ("clinical/pump_445_scan", SERVER, "hospital-server", 0.4),
    ("clinical/pump_telnet_ftp", 0x0003B16A0F58, "infusion-pump", PAGE),
    ("clinical/pump_telnet_ftp", 0xF4390971C20E, "office-workstation", 0.4),
    ("clinical/sdc_discovery_metrics", 0x0030E64D11C8, "ventilator", PAGE),
    ("clinical/sdc_discovery_metrics", 0x00105D700245, "central-station", PAGE),
    ("clinical/smb1_session", 0x444B5D0C3302, "imaging-modality", 0.4),
    ("clinical/smb1_session", SERVER, "hospital-server", 0.4),
    ("clinical/smb2_session", 0x444B5D0C3302, "imaging-modality", 0.4),
    ("clinical/smb2_session", SERVER, "hospital-server", 0.4),
    ("identity/alexa_app", 0x78F882D3FBC2, "phone", PAGE),
    ("identity/android_phone_lan", 0x4C6AF69FF627, "phone", PAGE),
    ("identity/googlehome_mini_lan", 0x44070B562DA8, "voice-assistant", PAGE),
    ("identity/googlehome_mini_lan", 0x00F6208FF4F0, "media-player", PAGE),
    ("identity/nest_log_sink", 0x18B430263440, "iot-other", PAGE),
    ("identity/iot_dlinkcam", 0xB0C554255B0E, "ip-camera", PAGE),
    ("identity/iot_edimaxplug", 0x74DA384A7649, "iot-other", PAGE),
    ("identity/iot_huebridge", 0x0017882476FF, "iot-other", PAGE),
    ("identity/iot_smartercoffee", 0x5CCF7F07AEFB, "iot-other", PAGE),
    ("identity/iot_tplink_hs100", 0x50C7BF00FCA3, "iot-other", PAGE),
    ("identity/iot_wemoswitch", 0x94103E3501C1, "iot-other", PAGE),
    ("identity/lldp_and_cdp", 0x0018BA98688F, "network-gear", PAGE),
    ("identity/lldp_and_cdp", 0x00192FA7B28D, "network-gear", PAGE),
    ("identity/sonos_player", 0x347E5CFFA26E, "media-player", PAGE),
    ("identity/ipp_printing", 0x001279806960, "printer", PAGE),
    ("identity/win98_netbeui", 0x00505633789E, "office-workstation", 0.4),
    ("medical/bacnet_ndpi", 0x001A2B3C4D5E, "building-control", PAGE),
    ("medical/fitbit_aria_setup", 0x20F85ECA9152, "iot-other", 0.4),
    ("medical/withings_scale_setup", 0x0024E424802A, "iot-other", PAGE),
    ("medical/hl7_adt_mllp", 0x0800271DA6C2, "hospital-server", PAGE),
    ("medical/hl7_adt_udi_prt", 0x0003B1B5B648, "infusion-pump", PAGE),
]
PACKS = Packs.load()


def _path(captures: Path, name: str) -> Path:
    return next(path for path in sorted(captures.glob(f"{name}.pcap*")))


def _walked(path: Path) -> tuple[Identifier, Ward]:
    who = Identifier(PACKS)
    ward = Ward(who)
    ward.walk(path)
    return who, ward


@pytest.mark.parametrize("name", sorted({row[0] for row in TRUTH}))
def test_every_named_device_has_its_role(captures: Path, name: str) -> None:
    who, _ = _walked(_path(captures, name))
    wrong = []
    for _, mac, role, least in (row for row in TRUTH if row[0] == name):
        assessed = who.assess(mac)
        if assessed.role != role or assessed.confidence < least - 1e-9:
            wrong.append((f"{mac:012x}", assessed.role, round(assessed.confidence, 2), "wanted", role, least))
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "mac", "word"),
    [
        ("clinical/dicom_onpath", 0xDCA6325B9014, "pacs"),
        ("clinical/dicom_onpath_proxy", 0xDCA6325B9014, "pacs"),
        ("clinical/hl7_second_receiver", 0xB827EB407A5D, "Philips"),
        ("clinical/imaging_beacon", 0x0008FB5219D0, "office-workstation"),
    ],
)
def test_a_costume_is_a_contradiction(captures: Path, name: str, mac: int, word: str) -> None:
    who, _ = _walked(_path(captures, name))
    assert any(word in text for text in who.assess(mac).contradictions)


def test_benign_devices_have_no_contradiction(captures: Path) -> None:
    found = []
    for name in ("bacnet_cov", "cast_mdns_ssdp", "dicom_store_find", "dicom_tls", "hl7_heartbeat_lost", "smb2_session"):
        who, _ = _walked(_path(captures, f"clinical/{name}"))
        found += [
            (name, hex(mac), who.assess(mac).contradictions) for mac in who.changed() if who.assess(mac).contradictions
        ]
    assert found == []


def test_the_simulated_wards_clinical_devices(root: Path) -> None:
    folder = root / "tests" / "captures"
    devices = json.loads((folder / "ward.truth.json").read_text("utf-8"))["devices"]
    who, _ = _walked(folder / "ward.pcap.gz")
    wrong = []
    for device in devices:
        role = who.assess(int(device["mac"].replace(":", ""), 16)).role
        if role != device["role"] and TIERS[device["role"]] in {"vital", "clinical"}:
            wrong.append((device["mac"], role, device["role"]))
    assert len(devices) >= 20
    assert wrong == []


def _canaries(captures: Path) -> set[str]:
    words: set[str] = set()
    for entry in json.loads((captures / "clinical" / "truth.json").read_text("utf-8")).values():
        text = entry["canaries"].partition("(")[0]
        words |= {word.lower() for word in re.split(r"[\s^;]+", text) if len(word) >= 5}
    return words


def test_no_canary_in_what_may_leave(captures: Path) -> None:
    canaries = _canaries(captures)
    assert "quillfeather" in canaries
    heard = 0
    for path in sorted((captures / "clinical").glob("*.pcap")):
        who, ward = _walked(path)
        names = Pseudonyms(b"k" * 32, words=who.packs)
        heard += sum(len(text) for text in ward.text)
        for mac in list(who._devices):
            assessed = who.assess(mac)
            out = [assessed.role, assessed.vendor, assessed.model, assessed.os, *assessed.contradictions]
            out += [names.name(name.value) for name in assessed.names]
            out += [str(part) for evidence in assessed.evidence for part in names.evidence(evidence)]
            text = "\n".join(out).lower()
            assert not [word for word in canaries if word in text], (path.name, hex(mac))
            assert not [name.value for name in assessed.names if len(name.value) > 5 and name.value.lower() in text]
    assert heard > 1000
