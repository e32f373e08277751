"""default-service as posture: what is published of a product's credentials, never that they are still the same."""

from agent.devices.records import DefaultLogin, Posture
from agent.findings.records import Severity
from tests.findings.bench import Bench, ids

MOXA = DefaultLogin("Moxa NPort", "CVE-2016-1529", "http.server", "banner")
PUMP = DefaultLogin("Medfusion 4000", "ICSMA-17-250-02", "tcp/23", "maker")


def test_a_device_whose_banner_names_such_a_product(bench: Bench) -> None:
    bench.add("serial-gateway", posture=Posture(default_logins=(MOXA,)))
    (found,) = bench.interval()
    assert (found.id, found.severity) == ("default-service", Severity.POSTURE)
    assert (
        "names itself as a product that is known to have been shipped with credentials that are public"
        in found.sentence
    )
    assert found.sentence.endswith("Moxa NPort; whether they were changed cannot be heard on the network.")
    told = dict(found.evidence)
    assert (told["source"], told["match"], told["sign"]) == ("CVE-2016-1529", "banner", "http.server")
    assert 0 < int(str(told["role-confidence-permille"])) <= 1000
    assert not [f for _ in range(90) for f in bench.interval()], "once"


def test_by_maker_and_service_it_says_so(bench: Bench) -> None:
    bench.add("infusion-pump", posture=Posture(default_logins=(PUMP,)))
    (found,) = bench.interval()
    assert "offers Telnet, and a product of its maker for this use is known to have been shipped" in found.sentence
    assert "whether this is one, and whether they were changed, cannot be heard" in found.sentence
    assert dict(found.evidence)["match"] == "maker"


def test_what_says_so_next_is_another_fact(bench: Bench) -> None:
    slot = bench.add("infusion-pump", posture=Posture(default_logins=(PUMP,)))
    bench.interval()
    bench.devices[slot].posture = Posture(default_logins=(MOXA, PUMP))
    (found,) = bench.interval()
    assert dict(found.evidence)["source"] == "CVE-2016-1529, ICSMA-17-250-02"


def test_none_is_none(bench: Bench) -> None:
    bench.add("infusion-pump")
    assert ids(bench.interval()) == []
