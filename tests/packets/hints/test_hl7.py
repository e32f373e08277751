"""HL7: the message header's routing fields, and never anything of another segment."""

from agent.packets.hints import hl7
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import MESSAGE


def test_the_header_and_nothing_else() -> None:
    assert hl7.read(MESSAGE) == [
        Signal("hl7.sender", "PIICIX"),
        Signal("hl7.sender-facility", "ICU3"),
        Signal("hl7.receiver", "EHRCORE", about_peer=True),
        Signal("hl7.receiver-facility", "STM", about_peer=True),
        Signal("hl7.message", "ORU^R01"),
    ]


ACK = b"\x0bMSH|^~\\&|A|B|C|D|20261123||ACK^R01|77|P|2.3\rSFT|x\rMSA|%s|77\rPID|1||WT77\r\x1c\r"


def test_the_code_of_an_acknowledgement() -> None:
    for code in (b"AA", b"AE", b"AR", b"CA", b"CE", b"CR"):
        assert hl7.read(ACK % code)[-1] == Signal("hl7.ack", code.decode())
    for other in (b"QQ", b"AAQUILL", b"", b"A"):
        assert hl7.read(ACK % other)[-1].kind == "hl7.message"


def test_an_acknowledgement_far_behind_is_not_looked_for() -> None:
    far = ACK.replace(b"SFT|x\r", b"SFT|x\r" * 9)
    assert hl7.read(far % b"AA")[-1].kind == "hl7.message"


def test_no_patient_for_any_cut_or_any_separator() -> None:
    for length in range(len(MESSAGE)):
        for separator in (b"|", b"#", b"!"):
            cut = MESSAGE[:length].replace(b"|", separator)
            text = " ".join(signal.value for signal in hl7.read(cut))
            assert "QUILL" not in text
            assert "WT77" not in text


def test_a_field_that_is_cut_is_not_used() -> None:
    assert [s.kind for s in hl7.read(b"\x0bMSH|^~\\&|PIICIX|ICU3|EHRC")] == ["hl7.sender", "hl7.sender-facility"]


def test_only_the_first_component_of_an_application() -> None:
    assert hl7.read(MESSAGE.replace(b"PIICIX", b"PIICIX^1.2.3^ISO"))[0] == Signal("hl7.sender", "PIICIX")


def test_a_message_without_segment_ends_gives_no_long_field() -> None:
    assert all(len(signal.value) <= 40 for signal in hl7.read(b"MSH|^~\\&|" + b"Q" * 4000))


def test_text_that_only_looks_alike_is_silent() -> None:
    assert hl7.read(b"MSHabc") == []
    assert hl7.read(b"MSHA^~\\&APIICIX") == []


def pcd(word: bytes, separators: bytes = b"|^") -> bytes:
    """An observation as IHE's PCD-01 has it: the device is named where an order's name would be."""
    field, component = separators[:1], separators[1:]
    text = b"MSH|^~\\&|GW^0002F4FFFE00^EUI-64|M|||20261128||ORU^R01^ORU_R01|1|P|2.6\rPID|||WT7740193V||QUILLFEATHER^O\r"
    text += b"OBR|1|A^GW|B^GW|69951^" + word + b"^MDC|||20261128\rOBX|1||69951^QUILLFEATHER^MDC|1.0.0.0|||||||X\r"
    return b"\x0b" + text.replace(b"|", field).replace(b"^", component)


def devices(payload: bytes) -> list[str]:
    """What kind of device it is said to be about."""
    return [signal.value for signal in hl7.read(payload) if signal.kind == "hl7.device"]


def test_the_device_of_an_observation_is_named_by_a_word_of_the_list() -> None:
    assert devices(pcd(b"MDC_DEV_SYS_ANESTH_MDS")) == ["anaesthesia"]
    assert devices(pcd(b"MDC_DEV_SYS_ANESTH")) == ["anaesthesia"]
    assert devices(pcd(b"MDC_DEV_SYS_PT_VENT_MDS", b"!$")) == ["ventilator"]


def test_no_other_word_is_told() -> None:
    others = (
        b"MDC_DEV_QUILLFEATHER",
        b"MDC_DEV_SYS_ANESTH_MDS_QUILL",
        b"MDC_DEV_" + b"Q" * 4000,
        b"MDC_DEV_",
        b"ANESTH",
    )
    for other in others:
        assert devices(pcd(other)) == []
    assert devices(pcd(b"^MDC_DEV_X^" * 4 + b"^MDC_DEV_SYS_ANESTH")) == [], "looked for a few times only"
    whole = pcd(b"MDC_DEV_SYS_ANESTH_MDS")
    for length in range(len(whole)):
        assert set(devices(whole[:length])) <= {"anaesthesia"}
        assert "QUILL" not in " ".join(signal.value for signal in hl7.read(whole[:length]))
