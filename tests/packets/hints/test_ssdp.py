"""SSDP."""

from agent.packets.hints import ssdp
from agent.packets.hints.records import Signal


def test_offers_and_searches() -> None:
    notify = (
        b"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nLOCATION: http://10.0.0.1/Quillfeather\r\nSERVER: A/1\r\n\r\n"
    )
    assert ssdp.read(notify) == [Signal("ssdp.type", "upnp:rootdevice"), Signal("ssdp.server", "A/1")]
    search = b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nUSER-AGENT: B/2\r\n\r\n"
    assert ssdp.read(search) == [Signal("ssdp.asks", "ssdp:all"), Signal("ssdp.agent", "B/2")]
    answer = b"HTTP/1.1 200 OK\r\nST: roku:ecp\r\n\r\n"
    assert ssdp.read(answer) == [Signal("ssdp.type", "roku:ecp")]


def test_a_uuid_names_one_device_and_is_left_out() -> None:
    assert ssdp.read(b"NOTIFY * HTTP/1.1\r\nNT: uuid:1234\r\n\r\n") == []
