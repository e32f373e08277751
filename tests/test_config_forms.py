"""What a value may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config_forms import Form, Share, Whole, Word, Words, anything, broker, identifier, leg, network, pattern

ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.text(max_size=5))
FORMS: list[Form] = [Whole(0, 9), Whole(1, 64, power_of_two=True), Share(), Word(identifier), Words(leg, 0, 3)]


@pytest.mark.parametrize("form", FORMS)
@given(value=ANY)
def test_a_form_gives_a_value_or_says_why_not(form: Form, value: object) -> None:
    try:
        read = form.read(value)
    except (TypeError, ValueError) as error:
        assert str(error)  # noqa: PT017 - both outcomes are good, an empty sentence is not
        return
    assert read == (tuple(value) if isinstance(value, list) else value)


def test_zero_is_below_every_power_of_two() -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        Whole(1, 64, power_of_two=True).read(0)


@pytest.mark.parametrize("text", ["eth0", "enp3s0f1", "wlan0.20", "br-lan", "eth0:1"])
def test_interfaces(text: str) -> None:
    leg(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a b", "x" * 16, "e\n"])
def test_no_interfaces(text: str) -> None:
    with pytest.raises(ValueError, match="interface"):
        leg(text)


@pytest.mark.parametrize(
    "text",
    [
        "mqtts://host", "mqtts://host:8883/", "mqtt://127.0.0.1:1883", "mqtts://[::1]:8883", "mqtts://a:8883,b,[::1]:9",
        "mqtts://" + ",".join("abcdefgh"),
    ],
)  # fmt: skip
def test_brokers(text: str) -> None:
    broker(text)


@pytest.mark.parametrize(
    "text",
    ["mqtts://a,", "mqtts://,a", "mqtts://a,b:x", "mqtts://a,mqtt://b", "mqtts://a,u@b", "mqtts://" + "a," * 8 + "a"],
)
def test_no_brokers(text: str) -> None:
    with pytest.raises(ValueError, match=r"mqtts://host|at most 8"):
        broker(text)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "203.0.113.7", "2001:db8::/32"])
def test_networks(text: str) -> None:
    network(text)


def test_long_values_do_not_flood_the_screen() -> None:
    with pytest.raises(ValueError, match="no network") as refused:
        network("x" * 4000)
    assert len(str(refused.value)) < 200
    with pytest.raises(ValueError, match="200 octets"):
        pattern("x" * 201)
    anything("whatever")
