"""Content before port, port before protocol, and a table that only names what has a name."""

import pytest

from agent.packets.ports import BY_PORT, application_of
from agent.packets.records import Application as App
from agent.packets.records import application_name


@pytest.mark.parametrize(
    ("protocol", "port", "content", "wanted"),
    [
        (6, 104, 0, App.DICOM), (6, 104, App.HTTP, App.HTTP), (17, 104, 0, App.UNKNOWN), (6, 2575, 0, App.HL7),
        (6, 4444, 0, App.UNKNOWN), (1, 0, 0, App.ICMP), (58, 0, 0, App.ICMP), (2, 0, 0, App.IGMP),
        (47, 104, 0, App.UNKNOWN), (17, 69, 0, App.TFTP), (6, 445, App.SMB1, App.SMB1),
    ],
)  # fmt: skip
def test_application(protocol: int, port: int, content: int, wanted: App) -> None:
    assert application_of(protocol, port, content) == wanted


def test_table_names_services_of_tcp_and_udp() -> None:
    assert {protocol for protocol, _ in BY_PORT} == {6, 17}
    assert all(0 < port < 65536 for _, port in BY_PORT)
    assert App.UNKNOWN not in BY_PORT.values()


def test_names_people_read() -> None:
    assert application_name(App.WS_DISCOVERY) == "ws-discovery"
    assert application_name(200) == application_name(0) == "unknown"
