"""hl7-second-receiver and hl7-new-sender: a message that goes elsewhere, and a name that comes from elsewhere."""

from pathlib import Path

import pytest

from agent.devices.baseline import Order
from agent.findings import peers
from agent.findings.records import Finding, Rows, Severity
from agent.findings.settings import ChangeWindow
from agent.packets.records import Application
from agent.summaries.privacy import Pseudonyms
from tests.findings.bench import HOUR, SESSION, Bench
from tests.findings.recorded import found_in

HL7 = int(Application.HL7)
PEERS = {"hl7-second-receiver", "hl7-new-sender"}


def sends(bench: Bench, sender: int, receiver: int | str, **more: int) -> Rows:
    """A session in which HL7 was spoken."""
    return bench.edge(sender, receiver, 2575, **({"application": HL7} | more))


def hear(bench: Bench, *edges: Rows, **more: object) -> list[Finding]:
    """One turn later."""
    return [found for found in bench.judge(edges, **more) if found.id in PEERS]


def ward(bench: Bench, *, learned: bool = True) -> tuple[int, int]:
    """A gateway of monitors and its interface engine, while the tap settles."""
    sender, engine = bench.add("patient-monitor"), bench.add("hospital-server")
    named = bench.remark(sender, engine, ("hl7.sender", "PIICIX"), ("hl7.message", "ORU^R01"))
    assert not hear(bench, sends(bench, sender, engine), remarks=[named], settled=False)
    if learned:
        bench.baseline.order_role(Order.FREEZE, "patient-monitor")
    bench.interval()
    return sender, engine


def test_a_second_receiver(bench: Bench) -> None:
    sender, _ = ward(bench)
    (found,) = hear(bench, sends(bench, sender, bench.comes()))
    assert (found.id, found.severity) == ("hl7-second-receiver", Severity.PAGE)
    assert found.sentence == (
        "Patient monitor 00:d0:75:18:00:00 (Maker) sends HL7 messages to a further receiver, the device "
        "00:d0:75:18:00:02 (Maker) on TCP port 2575 (HL7), to which nobody sent before."
    )
    assert ("receivers", 2) in found.evidence
    told = dict(Pseudonyms(bytes(32)).finding(found).evidence)
    assert str(told["sending-application"]).startswith("~")


def test_a_public_receiver_too(bench: Bench) -> None:
    sender, _ = ward(bench)
    (found,) = hear(bench, sends(bench, sender, "203.0.113.7"))
    assert (found.id, found.severity) == ("hl7-second-receiver", Severity.PAGE)


def test_an_address_that_may_have_been_there_before_is_a_review(bench: Bench) -> None:
    sender, _ = ward(bench)
    for peer in ("10.9.9.9", bench.add("hospital-server")):
        (found,) = hear(bench, sends(bench, sender, peer))
        assert found.severity is Severity.REVIEW
    second = Bench()
    sender, _ = ward(second, learned=False)
    assert not hear(second, sends(second, sender, "10.9.9.9")), "its role still learns"


def test_an_engine_that_others_send_to_is_a_review(bench: Bench) -> None:
    sender, _ = ward(bench)
    other, second = bench.add("ventilator"), bench.add("hospital-server")
    assert not hear(bench, sends(bench, other, second), settled=False)
    (found,) = hear(bench, sends(bench, sender, second))
    assert found.severity is Severity.REVIEW


def test_what_is_no_second_receiver(bench: Bench) -> None:
    sender, engine = ward(bench)
    assert not hear(bench, *[sends(bench, sender, engine)] * 5), "the one it has"
    assert not hear(bench, sends(bench, bench.add("ventilator"), engine)), "the first one of another sender"
    assert not hear(bench, sends(bench, sender, bench.comes(), gates=SESSION)), "nothing was sent"
    assert not hear(bench, sends(bench, sender, bench.comes(), application=0)), "not HL7"
    assert not hear(bench, sends(bench, sender, bench.comes(), direction=1)), "it was sent to"
    assert not hear(bench, sends(bench, sender, bench.comes()), settled=False), "learned"


@pytest.mark.parametrize("spoken_at_once", [True, False])
def test_an_engine_that_fails_over_is_one_cause_for_all_its_senders(bench: Bench, spoken_at_once: bool) -> None:
    """And so is what change-event sees of it, after a day with the old one."""
    senders, engine = [bench.add("patient-monitor") for _ in range(5)], bench.add("hospital-server")
    senders.append(bench.add("central-station"))
    hear(bench, *(sends(bench, sender, engine) for sender in senders), settled=False)
    for role in ("patient-monitor", "central-station"):
        bench.baseline.order_role(Order.FREEZE, role)
    for _ in range(26):
        bench.interval([sends(bench, sender, engine) for sender in senders], after_ns=HOUR)
    other = bench.add("hospital-server")
    moved = [sends(bench, sender, other) for sender in senders]
    if spoken_at_once:
        assert [f.id for f in bench.judge(moved)] == ["hl7-second-receiver"]
        assert not [f for f in bench.interval(moved) if f.severity is Severity.REVIEW]
    else:
        silent = [sends(bench, sender, other, application=0) for sender in senders]
        assert [f.id for f in bench.interval(silent)] == ["change-event"]
        assert not bench.judge(moved)


def test_a_declared_window_and_a_gateway(bench: Bench) -> None:
    sender, engine = ward(bench)
    router = bench.add("network-gear", gateway=True)
    assert not hear(bench, sends(bench, router, engine), settled=False)
    assert not hear(bench, sends(bench, router, bench.comes()))
    bench.engine.declare(ChangeWindow("patient-monitor", bench.now_ns, bench.now_ns + HOUR))
    assert not hear(bench, sends(bench, sender, bench.comes()))


def test_another_device_under_the_same_name(bench: Bench) -> None:
    _, engine = ward(bench)
    double = bench.comes("iot-other")
    remark = bench.remark(double, engine, ("hl7.sender", "PIICIX"))
    (found,) = hear(bench, remarks=[remark])
    assert (found.id, found.severity) == ("hl7-new-sender", Severity.REVIEW)
    assert "that the patient monitor 00:d0:75:18:00:00 (Maker) had alone before" in found.sentence
    assert not hear(bench, remarks=[remark]), "once"


def test_names_that_say_nothing(bench: Bench) -> None:
    sender, engine = ward(bench)
    double = bench.comes()
    router = bench.add("network-gear", gateway=True)
    silent = [
        bench.remark(engine, sender, ("hl7.sender", "PIICIX"), ("hl7.ack", "AA")),
        bench.remark(router, engine, ("hl7.sender", "PIICIX")),
        bench.remark(double, engine, ("hl7.sender", "ANOTHER")),
        bench.remark(double, engine, ("hl7.sender", "")),
        bench.remark(double, engine, ("hl7.message", "ORU^R01")),
        bench.remark(double, engine, ("hl7.sender", "PIICIX"))._replace(source=0x00DEAD000001),
    ]
    assert not hear(bench, remarks=silent)


def test_a_products_name_is_shared_by_its_kind(bench: Bench) -> None:
    engine = bench.add("hospital-server")
    monitors = [bench.add("patient-monitor") for _ in range(3)]
    named = [bench.remark(monitor, engine, ("hl7.sender", "MONITOR")) for monitor in monitors]
    assert not hear(bench, remarks=named[:2], settled=False)
    assert not hear(bench, remarks=named[2:])


@pytest.mark.parametrize("text", ["QUILLFEATHER", "\u202e" * 40, "|^~\\&", "x" * 128])
def test_names_leave_as_pseudonyms_only(bench: Bench, text: str) -> None:
    first, engine = bench.add("ventilator"), bench.add("hospital-server")
    assert not hear(bench, remarks=[bench.remark(first, engine, ("hl7.sender", text))], settled=False)
    double = bench.comes()
    (found,) = hear(bench, remarks=[bench.remark(double, engine, ("hl7.sender", text))])
    assert text not in str(Pseudonyms(bytes(32)).finding(found))


def test_memory_is_bounded(bench: Bench) -> None:
    sender, engine = ward(bench)
    for start in range(0, 2000, 50):
        edges = [sends(bench, sender, f"10.9.{n // 250}.{n % 250 + 1}") for n in range(start, start + 50)]
        bench.judge(
            edges, remarks=[bench.remark(sender, engine, ("hl7.sender", f"A{n}")) for n in range(start, start + 50)]
        )
    held = bench.engine.peers
    assert len(held._receivers) == peers.RECEIVERS_MAX
    assert len(held.receivers(bench.mac(sender))) == peers.RECEIVERS_OF_ONE_MAX
    assert len(held.kept().senders) == peers.NAMES_MAX


@pytest.mark.captures
@pytest.mark.parametrize(
    ("capture", "wanted"),
    [
        (
            "clinical/hl7_second_receiver.pcap",
            [("hl7-second-receiver", Severity.PAGE), ("hl7-new-sender", Severity.REVIEW)],
        ),
        ("clinical/hl7_heartbeat_lost.pcap", []),
        ("medical/hl7_adt_mllp.pcap", []),
    ],
)
def test_captures(captures: Path, capture: str, wanted: list[tuple[str, Severity]]) -> None:
    said = found_in(captures / capture, {"settling_s": 30})
    assert [(found.id, found.severity) for found in said if found.id in PEERS] == wanted
