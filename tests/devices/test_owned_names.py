"""Whose a phone is, by its name; makers' names and those of nobody in particular are nobody's."""

import pytest

from agent.devices.owned_names import owned


@pytest.mark.parametrize(
    "name",
    [
        "Annas-iPhone", "ANNAS-IPAD", "Orsolyas-iPhone-15", "Annas-Galaxy-S21-5G", "iPhone-von-Anna", "iPad-de-Luisa",
        "Galaxy-S21-von-Anna", "Annas-MacBook-Air", "iPhone-di-Maria-Rosa", "Anna-Marias-iPhone", "Annas-Apple-Watch",
    ],
)  # fmt: skip
def test_names_with_an_owner(name: str) -> None:
    assert owned(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        "", "iPhone", "iPhone-2", "iPad-Pro", "Galaxy-S21", "Galaxy-Tab-Active", "SM-G991B", "Pixel-7-Pro", "Xperia-Z5",
        "android-4f3a9c1be07d2265", "DESKTOP-7H2K9QA", "PCU-13408871", "Annas-Pump", "Anna", "s-iphone", "iPhone-von-",
        "Nurses-iPad", "wards-ipad", "iPad-of-ward", "Guests-Phone", "Annas iPhone", "Annas-iPhone.ward",
        "\u0410nnas-iPhone", "Annas-iPhone-" + "x" * 40,
    ],
)  # fmt: skip
def test_names_of_nobody(name: str) -> None:
    assert owned(name) == ""
