"""The table of devices: order, columns, reasons, and nothing that moves a cursor."""

import pytest

from agent.devices.evidence import Identity
from agent.devices.records import Advisory, DefaultLogin, Posture
from agent.service.ward_table import DRAWN_SHOWN_MAX, HEADINGS, Entry, lines

IDENTITY = Identity("infusion-pump", 0.99, "Alaris Medical", "Alaris PC Unit", "VxWorks", (), (), ())
PUMP = Entry(
    "00:d0:75:18:42:9b", ["10.0.0.5"], IDENTITY, ["~abc"], [("oui", "Alaris Medical", 2.4), ("uses", "tcp/3613", 1.5)],
    {}, 209,
)  # fmt: skip


def entry(role: str, **changes: object) -> Entry:
    """The pump as something else."""
    return PUMP._replace(identity=PUMP.identity._replace(role=role), **changes)


def test_a_device_in_a_line_and_why() -> None:
    head, role, device, why = lines([PUMP], 160)
    assert head.split() == " ".join(HEADINGS).split()
    assert role == "infusion pump (1)"
    assert device.split("  ")[1:2] == [" 99%"]
    for said in ("Alaris Medical Alaris PC Unit", "VxWorks", "10.0.0.5", "00:d0:75:18:42:9b", "~abc"):
        assert said in device
    assert why.strip() == "because maker Alaris Medical; uses tcp/3613"


def test_whom_a_patient_depends_on_stands_first_and_what_is_not_known_last() -> None:
    told = lines(
        [entry("unknown"), entry("printer"), entry("pacs"), entry("ventilator"), entry("patient-monitor")], 160
    )
    headings = [text for text in told[1:] if not text.startswith(" ")]
    assert headings == ["patient monitor (1)", "ventilator (1)", "pacs (1)", "printer (1)", "not known (1)"]
    assert "%" not in told[-2], "how sure one is of nothing"


def test_a_maker_that_the_model_repeats_is_said_once() -> None:
    identity = PUMP.identity._replace(vendor="Axis", model="Axis P1448")
    assert "Axis Axis" not in lines([PUMP._replace(identity=identity)], 160)[2]


def test_many_addresses_and_names_are_counted_and_repeats_said_once() -> None:
    told = lines([PUMP._replace(addresses=["10.0.0.5", "10.0.0.6", "fe80::1"], called=["~a", "~a", "~b", "~c"])], 200)[
        2
    ]
    assert "10.0.0.5, 10.0.0.6 +1" in told
    assert "~a, ~b +1" in told


def test_few_reasons_and_how_many_more() -> None:
    reasons = [("offers", f"tcp/{port}", 1.0) for port in range(1, 6)] + [("dhcp.host", "~x", 0.0)]
    assert lines([PUMP._replace(reasons=reasons)], 160)[3].strip() == (
        "because serves tcp/1; serves tcp/2; serves tcp/3; and 2 more"
    )


def test_what_is_in_clear_and_what_contradicts() -> None:
    clinical = {
        "hl7": {"clear_octets": 9, "tls_octets": 0},
        "dicom": {"clear_octets": 0, "tls_octets": 5},
        "intellivue": {"clear_octets": 1, "tls_octets": 0},
    }
    identity = PUMP.identity._replace(contradictions=("it serves DICOM",))
    told = lines([PUMP._replace(clinical=clinical, identity=identity)], 160)
    assert told[4].strip() == "but it serves DICOM"
    assert told[5].strip() == "speaks HL7, IntelliVue in clear and DICOM under TLS"


@pytest.mark.parametrize("width", [20, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = PUMP._replace(called=["n" * 300], addresses=["2001:db8::1234:5678:9abc:def0"] * 3)
    assert max(map(len, lines([long, PUMP], width))) <= width


def test_what_a_narrow_terminal_has_no_room_for_is_told_below() -> None:
    many = PUMP._replace(addresses=["fe80::1", "2001:db8::1", "10.0.0.5"], called=["~abcdefghij", "~klmnopqrst"])
    told = lines([many], 80)
    assert max(map(len, told)) <= 80
    assert "…" not in "".join(told)
    assert [text.strip() for text in told[3:6]] == [
        "system VxWorks", "addresses 10.0.0.5, 2001:db8::1 +1", "names ~abcdefghij, ~klmnopqrst",
    ]  # fmt: skip
    assert told[0].split() == ["sure", "maker", "and", "model", "MAC"]


def test_a_long_reason_goes_on_in_the_next_line_and_is_whole_in_a_file() -> None:
    long = PUMP._replace(identity=PUMP.identity._replace(contradictions=("it says so " * 20,)))
    assert "…" not in "".join(lines([long], 80))
    assert sum("it says so" in text for text in lines([long], 80)) > 1
    assert sum("it says so" in text for text in lines([long], None)) == 1


def test_a_device_of_a_link_without_macs_is_no_phone_that_draws_addresses() -> None:
    told = lines([entry("phone", mac=f"address-{n:08x}") for n in range(DRAWN_SHOWN_MAX + 5)], 160)
    assert not [text for text in told if "drawn at random" in text]


def test_a_name_from_the_wire_moves_no_cursor() -> None:
    told = "\n".join(lines([PUMP._replace(called=["\x1b[2J\x9bowned\r\n\u202e"])], 160))
    assert all(letter.isprintable() or letter == "\n" for letter in told)


def test_an_empty_ward_is_no_line() -> None:
    assert lines([], 80) == []


def test_how_it_stands() -> None:
    stands = Posture(
        system="Windows XP/2003", said_by=("smb.os",), ended="2015-07-14", tls_answers=("1.0", "1.2"),
        tls_asks=("1.1",), smb=("1", "3.0"), services=("ftp", "telnet"), log_ins=("ftp",),
        advisories=tuple(Advisory(f"ICSMA-23-00{n}-01", "A pump", 2, "product") for n in range(5)),
        default_logins=(DefaultLogin("Medfusion 4000", "ICSMA-17-250-02", "tcp/23", "maker"),),
    )  # fmt: skip
    assert lines([PUMP._replace(posture=stands)], 400)[-1].strip() == (
        "old or open: Windows XP/2003, supported until 2015-07-14; TLS 1.0; SMB1; answers ftp and telnet; log-ins in "
        "clear by ftp; perhaps log-ins as it was shipped with them (ICSMA-17-250-02); public advisories about its "
        "product: ICSMA-23-000-01, ICSMA-23-001-01, ICSMA-23-002-01 +2"
    )
    sound = Posture(system="Windows 10 or later", tls_answers=("1.3",), smb=("3.1.1",))
    assert not [text for text in lines([PUMP._replace(posture=sound)], 160) if "old or open" in text]


def test_a_flood_of_drawn_addresses_is_counted_and_hides_nobody() -> None:
    phones = [entry("phone", mac=f"da:a1:19:00:{n >> 8:02x}:{n & 255:02x}") for n in range(300)]
    told = lines([*phones, entry("phone", mac="00:07:ab:00:00:01"), PUMP], 160)
    assert "phone (301)" in told
    assert len(told) < 2 * (DRAWN_SHOWN_MAX + 6)
    assert told[-1].strip() == f"and {300 - DRAWN_SHOWN_MAX} more whose addresses were drawn at random: a phone is many"
    assert any("00:07:ab:00:00:01" in text for text in told)
    assert any(PUMP.mac in text for text in told)


def test_a_host_that_had_another_card() -> None:
    told = lines([PUMP._replace(formerly="00:d0:75:00:00:01")], 160)
    assert told[-1].strip() == "known before under the card 00:d0:75:00:00:01"


def test_addresses_of_one_phone_are_one_line() -> None:
    phone = entry("phone", mac="ea:00:5e:00:00:02")._replace(also=["da:a1:19:00:00:01"], formerly="da:a1:19:00:00:01")
    told = lines([phone], 160)
    assert told[-1].strip() == "one host with da:a1:19:00:00:01: the same number, never at the same time"
    assert not [text for text in told if "known before" in text]
