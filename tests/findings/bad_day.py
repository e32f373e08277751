"""A day on which everything happens that the judge has a word for."""

import numpy as np

from agent.devices.baseline import Order
from agent.devices.records import Advisory, EdgeGate, FanKind, Grant, Posture
from agent.findings.records import ClockNote, Finding, Pressure, Rows
from agent.packets.records import Application
from agent.tap.records import Fault, LegCounts
from tests.findings.bench import IN, Bench, S

ROUTER, ROGUE = 0x0A141E01, 0x0A141E42
HL7, SMB1, STRATUM, DICOM, HTTP = (
    int(a) for a in (Application.HL7, Application.SMB1, Application.STRATUM, Application.DICOM, Application.HTTP)
)


def a_bad_day(bench: Bench) -> list[Finding]:
    """Everything the judge can say."""
    return [
        *_contacts_and_scans(bench),
        *_claims_and_grants(bench),
        *_payload_facts(bench),
        *_volumes(bench),
        *_silences(bench),
        *_names(bench),
        *_clinical_peers(bench),
    ]


def _contacts_and_scans(bench: Bench) -> list[Finding]:
    pump, pacs, guest = bench.add("infusion-pump"), bench.add("pacs"), bench.add("unknown")
    desk = bench.add("office-workstation")
    bench.baseline.order_role(Order.FREEZE, "office-workstation")
    edges = [
        bench.edge(pump, "203.0.113.9", 4444),
        bench.edge(pump, "10.1.1.1", 22),
        bench.edge(pump, guest, 23, direction=IN),
        bench.edge(pump, desk, 9999, direction=IN),
        bench.edge(pacs, "10.1.1.1", 6667),
        bench.edge(pacs, "10.1.1.1", 5900),
        bench.edge(bench.add("patient-monitor"), "202.114.4.119", 2049),
        bench.edge(desk, "10.1.1.1", 4000),
        bench.edge(desk, "104.243.33.118", 3333, application=STRATUM),
        bench.edge(bench.add("printer"), "203.0.113.10", 443),
    ]
    fans = [
        bench.sweep(pump),
        bench.sweep(guest, port=8080),
        bench.sweep(guest, port=23),
        bench.fan(guest, FanKind.PORTS, 30, peer_hi=0, peer_lo=0xFFFF0A010101),
        bench.fan(bench.add("printer"), FanKind.ARP, 100),
    ]
    new = np.array([bench.add("unknown")], dtype=np.uint32)
    blind, speaking = LegCounts("eth1", 0, 0, 0, 0, fault=Fault.DOWN), LegCounts("eth2", 0, 0, 0, 3)
    bench.judge(legs=[blind])
    bench.engine.clock = ClockNote(stepped_ns=7200 * S)
    of_the_tap = {"frames": 1000, "dropped": 50, "legs": [blind, speaking], "pressure": Pressure(flows=5000)}
    return bench.judge(edges, fans, 9 * S, new_devices=new, interval_closed=True, **of_the_tap)


def _claims_and_grants(bench: Bench) -> list[Finding]:
    server = bench.add("hospital-server", claims=("10.20.30.10",))
    heard = bench.sighting("tcp.syn-ack", "64:m44:1460:7:MSTNW", server, sender="10.20.30.10")
    lab = bench.add("lab-analyser", claims=("10.20.30.50",))
    said = bench.judge(grants=(_grant(bench, server, "ack", ROUTER),), sightings=[heard])
    board = bench.add("iot-other", claims=("10.20.30.66", "10.20.30.10"))
    bench.add("unknown", claims=("10.20.30.50",))
    said += bench.judge([bench.edge(bench.add("thin-client"), board, 53, protocol=17)])
    passed = bench.sighting("tcp.passed-syn-ack", "63:m44:1460:7:MSTNW", board, sender="10.20.30.10")
    said += bench.judge(grants=(_grant(bench, board, "offer", ROGUE),), sightings=[passed])
    for _ in range(4):
        starts = _grant(bench, server, "offer", ROUTER)._replace(client=bench.mac(lab), time_ns=bench.now_ns)
        said += bench.judge(after_ns=300 * S, grants=(starts,))
    return said


def _grant(bench: Bench, server: int, message: str, router: int) -> Grant:
    return Grant(bench.now_ns, bench.mac(server), 0x00D075183C04, message, 0x0A141E85, router, router, router)


def _payload_facts(bench: Bench) -> list[Finding]:
    desk, server = bench.add("office-workstation"), bench.add("hospital-server")
    cards = [bench.sighting("dhcp.message", "discover", desk, subject=0xDEAD00 + n) for n in range(40)]
    bench.judge(sightings=cards)
    starved = bench.judge(after_ns=11 * S)
    router, board = bench.add("network-gear", gateway=True), bench.add("iot-other")
    own = {"sender": "fe80::1", "address": "fe80::1"}
    bench.judge(sightings=[bench.sighting("nd.router", "default", router, **own)])
    sightings = [
        bench.sighting("nd.router", "default", board, sender="fe80::2"),
        bench.sighting("nd.says", "router", bench.add("unknown"), **own),
        bench.sighting("credentials.clear", "ftp", desk, server),
        bench.sighting("smb.exploit", "too-large", desk, server),
        bench.sighting("header.exploit", "land", desk, server),
    ]
    return [*starved, *bench.judge(sightings=sightings)]


def _volumes(bench: Bench) -> list[Finding]:
    guest, modality = bench.add("unknown"), bench.add("imaging-modality")
    monitor, server = bench.add("patient-monitor"), bench.add("hospital-server", smb1=True)
    bench.add("voice-assistant")
    bench.add("media-player")
    advisory = Advisory("ICSMA-21-215-01", "Swisslog Healthcare Translogic PTS", 8, "maker")
    old = Posture("Windows 7", ("smb.os",), "2020-01-14", ("1.0",), advisories=(advisory,))
    camera = bench.add("ip-camera", posture=old)
    bench.add("iot-other", hobby_board=True)
    bench.add("iot-other", contradictions=("offers says pacs, not iot-other",))
    half = [bench.edge(guest, f"10.3.0.{n}", 443, packets_in=0, octets_in=0) for n in range(1, 20)]
    said = [*bench.interval(half), *bench.interval(half), *bench.interval([_profile(bench, monitor)])]
    rows = [
        bench.edge(guest, server, 22, flows=30, packets_out=600, packets_in=500, octets_out=9000, octets_in=9000),
        bench.edge(guest, monitor, 9999, protocol=17, packets_out=50_000, packets_in=0),
        bench.edge(monitor, guest, 23, direction=IN, octets_in=1 << 20, octets_out=100),
        bench.edge(server, modality, 445, direction=IN, application=SMB1),
        bench.edge(modality, server, 104, application=DICOM),
        bench.edge(camera, guest, 80, direction=IN, application=HTTP),
    ]
    for minute in range(8):
        last = {"last_ns": bench.now_ns + 59 * S}
        echo = {"protocol": 1, "packets_out": 60, "packets_in": 60, "octets_out": 6000, "octets_in": 24_000}
        calls = bench.edge(modality, "91.240.118.77", 8080, flows=2, octets_out=1800, **last)
        theft = bench.edge(monitor, "10.9.9.9", 4444, octets_out=90 << 20, first_ns=bench.now_ns)
        names = bench.edge(guest, "203.0.113.53", 53, **(echo | {"protocol": 17, "octets_out": 18_000}))
        said += bench.interval(
            [*(rows if not minute else []), calls, theft, names, bench.edge(guest, "10.1.1.9", 2048, **echo)]
        )
    return said


def _profile(bench: Bench, slot: int) -> Rows:
    """What such a device sends to two thousand peers."""
    rows = np.repeat(bench.edge(slot, "10.1.1.1", 443, octets_out=20_000), 2100)
    rows["peer_lo"] += np.arange(2100, dtype=np.uint64)
    return rows


def _silences(bench: Bench) -> list[Finding]:
    silent, crashed, stranger = bench.add("ventilator"), bench.add("ventilator"), bench.add("unknown")
    beats = {"application": HL7, "packets_out": 24, "packets_in": 12}
    said = []
    for minute in range(6):
        row = bench.edge(silent, "10.20.30.11", 2575, flows=int(not minute), answered=0, **beats)
        row["last_ns"] = bench.now_ns + 57 * S
        said += bench.interval([row])
    said += bench.judge([bench.edge(stranger, crashed, 80, gates=int(EdgeGate.REFUSED))])
    bench.devices[crashed].last_ns = bench.now_ns
    return [*said, *(found for _ in range(4) for found in bench.interval())]


def _names(bench: Bench) -> list[Finding]:
    """A desk that asks for data, for invented names, and for films."""
    desk = bench.add("clinical-workstation")
    texts = [bench.remark(desk, desk, ("dns.asks", f"c.{n}.ns.example.com"), ("dns.type", "TXT")) for n in range(20)]
    drawn = [f"{'xqzjkvwpgh'[n:]}{'wvkzqjxhgp'[:n]}.net" for n in range(10)]
    drawn += [f"{name[::-1].removeprefix('ten.')}.biz" for name in drawn]
    failed = [bench.remark(desk, desk, ("dns.failed", name)) for name in drawn]
    films = [bench.remark(desk, desk, ("tls.sni", "www.youtube.com"))]
    return bench.interval(remarks=[*texts, *failed, *films])


def _clinical_peers(bench: Bench) -> list[Finding]:
    """A stranger at the archive, and a sender with a second receiver and a double."""
    modality, archive = bench.add("imaging-modality"), bench.add("pacs")
    sender, engine = bench.add("patient-monitor"), bench.add("hospital-server")
    known = bench.remark(modality, archive, ("dicom.ae", "CT_WARD3"), ("dicom.called", "PACS_MAIN"))
    named = bench.remark(sender, engine, ("hl7.sender", "PIICIX"))
    said = bench.judge([bench.edge(sender, engine, 2575, application=HL7)], remarks=[known, named], settled=False)
    stranger, double = bench.comes(), bench.comes()
    tries = [bench.remark(stranger, archive, ("dicom.ae", "CT_WARD3"), ("dicom.called", f"PACS{n}")) for n in range(4)]
    rejected = bench.remark(archive, stranger, ("dicom.rejects", "called-title"))
    again = named._replace(source=bench.mac(double))
    return said + bench.judge([bench.edge(sender, double, 2575, application=HL7)], remarks=[*tries, rejected, again])
