from agent.collector.text import mac_text


def test_addresses() -> None:
    assert mac_text(bytes.fromhex("00d07518429b")) == "00:d0:75:18:42:9b"
    assert mac_text(bytes(8)) == "00:00:00:00:00:00:00:00"
    assert mac_text(b"") == ""
