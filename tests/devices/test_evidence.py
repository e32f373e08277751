"""Evidence and conclusions are values: nobody changes them afterwards."""

import pytest

from agent.devices.evidence import Evidence, Identity, Name


def test_an_identity_cannot_be_changed() -> None:
    identity = Identity(
        "pacs", 0.7, "Dell", "", "", (Name("x", "dhcp.host"),), (Evidence("oui", "Dell", 0.8, True),), ()
    )
    with pytest.raises(AttributeError):
        identity.role = "printer"  # type: ignore[misc]
    assert identity == identity._replace()
