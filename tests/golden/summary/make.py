"""One capture, a fixed pseudonym key, a fixed hash secret and the capture's own clock -> the octets of each summary.

    python -m tests.golden.summary.make        writes the files anew

A difference is either a fault or a change of what a summary says: then the new files are committed with the reason.
The `health` map is left out (memory, processor time and versions are the machine's); so are header and deflation.
"""

from dataclasses import replace
from pathlib import Path

from agent.tap.records import LegCounts
from agent.wire.codec import pack
from agent.wire.summary import Summary
from tests.devices.bench import GATEWAY, hello, session, tries
from tests.flows.talks import START_S, Talk
from tests.forge import dhcp
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.hl7 import mllp
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.octets import BROADCAST
from tests.forge.pcap import Frame
from tests.forge.udp import Udp
from tests.service.bench import Sensor, small

HERE = Path(__file__).parent
PUMP, SERVER = ("10.1.0.101", "00:d0:75:18:42:9b"), ("10.1.0.10", "d4:ae:52:10:30:0a")
CART = ("10.1.0.161", "48:4d:7e:a2:5c:61")


def _discover() -> Frame:
    """The pump asks for an address and says its name."""
    message = dhcp.Dhcp(dhcp.DISCOVER, PUMP[1], 5, dhcp.client_options("PCU-13408871", "ALARIS-PCU-8015")).octets()
    packet = Ipv4("0.0.0.0", "255.255.255.255", UDP).octets(Udp(68, 67).octets("0.0.0.0", "255.255.255.255", message))
    return Frame(START_S * 10**9, ethernet(BROADCAST, PUMP[1], IPV4, packet))


def capture() -> list[Frame]:
    """Three minutes: a pump is born, reports over HL7, a cart calls far away; then the pump tries many hosts."""
    frames = [_discover(), *(hello(end, 0.5) for end in (PUMP, SERVER, CART, GATEWAY))]
    for minute in range(3):
        talk = Talk((PUMP, SERVER), (50000 + minute, 2575), frames=frames)
        talk.handshake(5 + 60 * minute)
        talk.tcp(6 + 60 * minute, 24, mllp("MSH|^~\\&|PUMP|W3|EHR|W3|20261102||ORU^R01|1|P|2.4"))
        talk.tcp(6 + 60 * minute, 24, mllp("MSH|^~\\&|EHR|W3|PUMP|W3|20261102||ACK|1|P|2.4"), back=True)
        talk.tcp(7 + 60 * minute, 17)
        talk.tcp(7 + 60 * minute, 17, back=True)
    frames += session((CART, ("203.0.113.77", GATEWAY[1])), 62, (50100, 443))
    frames += tries(
        PUMP, [((f"10.1.0.{n}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(30, 50)], refused=False, at_s=130
    )
    return sorted(frames, key=lambda frame: frame.time_ns)


def octets(summary: Summary) -> bytes:
    """The packed content without what the machine says of itself."""
    return pack(replace(summary, health={}).to_content())


def summaries() -> list[bytes]:
    """Every summary of the capture."""
    sensor = Sensor(small())
    frames = capture()
    sensor.pipeline.note_legs([LegCounts("eth1", len(frames), 0, 0, 0)])
    sensor.play(frames)
    sensor.pipeline.settle()
    return [octets(summary) for summary in sensor.end().summaries]


def files() -> list[Path]:
    """The committed ones, in order."""
    return sorted(HERE.glob("*.msgpack"))


def main() -> None:
    """Write them anew."""
    for path in files():
        path.unlink()
    for number, packed in enumerate(summaries(), 1):
        (HERE / f"{number:02d}.msgpack").write_bytes(packed)


if __name__ == "__main__":
    main()
