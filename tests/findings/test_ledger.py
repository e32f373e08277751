"""Folding: repeats, the cap with its digest, forgetting; nothing folded goes uncounted."""

from dataclasses import replace

from agent.findings.draft import Draft, Group, Subject
from agent.findings.ledger import CAUSES_MAX, CLOSE_NS, GROUP_NS, Ledger
from agent.findings.records import Finding, Severity
from tests.findings.bench import HOUR, START_NS, S


def draft(
    cause: str,
    severity: Severity = Severity.REVIEW,
    finding_id: str = "host-sweep",
    now_ns: int = START_NS,
    mac: int = 1,
) -> Draft:
    finding = Finding(
        finding_id, severity, mac, "unknown", "none", now_ns, now_ns, now_ns, 1, "Something.", (), (), cause, "", ""
    )
    return Draft(finding, Subject(mac))


def test_same_cause_is_said_once() -> None:
    ledger = Ledger(50)
    assert ledger.admit(draft("a"), START_NS) is not None
    assert ledger.admit(draft("a"), START_NS) is None
    assert ledger.admit(draft("b"), START_NS) is not None


def test_a_worse_repeat_is_said_with_its_count() -> None:
    ledger = Ledger(50)
    ledger.admit(draft("a"), START_NS)
    worse = ledger.admit(draft("a", Severity.PAGE), START_NS + S)
    assert worse is not None
    assert (worse.severity, worse.count, worse.first_ns) == (Severity.PAGE, 2, START_NS)
    assert ledger.admit(draft("a", Severity.REVIEW), START_NS + 2 * S) is None


def test_a_milder_repeat_never_lowers_what_is_open() -> None:
    ledger = Ledger(50)
    ledger.admit(draft("a", Severity.PAGE), START_NS)
    ledger.admit(draft("a", Severity.REVIEW), START_NS + S)
    (again,) = ledger.close_interval(START_NS + 2 * HOUR)
    assert again.severity is Severity.PAGE


def test_a_cause_that_was_quiet_for_a_day_is_a_new_finding() -> None:
    ledger = Ledger(50)
    ledger.admit(draft("a"), START_NS)
    assert ledger.admit(draft("a"), START_NS + CLOSE_NS) is None
    later = START_NS + CLOSE_NS + 1
    assert ledger.admit(draft("a", now_ns=later), later) is not None


def test_hourly_repeats_only_when_there_was_more() -> None:
    ledger = Ledger(50)
    ledger.admit(draft("a"), START_NS)
    assert not list(ledger.close_interval(START_NS + 2 * HOUR))
    ledger.note("a", 41, START_NS + 2 * HOUR)
    (again,) = ledger.close_interval(START_NS + 2 * HOUR)
    assert (again.count, again.last_ns) == (42, START_NS + 2 * HOUR)
    assert not list(ledger.close_interval(START_NS + 4 * HOUR))


def test_the_cap_counts_what_it_leaves_out() -> None:
    ledger = Ledger(10)
    said = [ledger.admit(draft(f"c{n}", mac=n % 3), START_NS) for n in range(100)]
    assert sum(f is not None for f in said) == 8
    (digest,) = ledger.close_interval(START_NS + S)
    assert (digest.id, digest.count, digest.cause, digest.mac) == ("host-sweep", 92, "overflow|host-sweep", 0)
    assert dict(digest.evidence) == {"folded": 92, "devices": 3, "worst": "c8"}
    assert digest.sentence.startswith("92 more findings of the kind host-sweep")
    assert ledger.admit(draft("next"), START_NS + 2 * S) is not None


def test_reviews_never_crowd_out_a_page() -> None:
    ledger = Ledger(10)
    for n in range(100):
        ledger.admit(draft(f"r{n}"), START_NS)
    pages = [ledger.admit(draft(f"p{n}", Severity.PAGE, "smb-spread"), START_NS) for n in range(5)]
    assert sum(p is not None for p in pages) == 2
    digests = {d.id: d for d in ledger.close_interval(START_NS)}
    assert digests["smb-spread"].severity is Severity.PAGE
    assert digests["smb-spread"].count == 3


def test_health_is_not_capped() -> None:
    ledger = Ledger(1)
    for n in range(10):
        ledger.admit(draft(f"r{n}"), START_NS)
    assert ledger.admit(draft("loss", Severity.HEALTH, "capture-loss"), START_NS) is not None


def test_groups_fold_only_within_the_hour() -> None:
    ledger = Ledger(50)

    def member(n: int, now_ns: int) -> Finding | None:
        group = Group("g", str(n), 3, "{n} things")
        return ledger.admit(draft(f"c{n}", now_ns=now_ns)._replace(groups=(group,)), now_ns)

    said = [member(n, START_NS + n * S) for n in range(5)]
    assert [f.cause if f else "" for f in said] == ["c0", "c1", "g", "", ""]
    later = START_NS + GROUP_NS + 10 * S
    found = member(9, later)
    assert found is not None
    assert found.cause == "c9"


def test_a_worse_member_makes_the_group_worse() -> None:
    ledger = Ledger(50)
    for n in range(4):
        ledger.admit(draft(f"c{n}")._replace(groups=(Group("g", str(n), 3, "{n}"),)), START_NS)
    worse = ledger.admit(draft("c9", Severity.PAGE)._replace(groups=(Group("g", "9", 3, "{n}"),)), START_NS)
    assert worse is not None
    assert (worse.cause, worse.severity) == ("g", Severity.PAGE)


def test_an_explanation_takes_over_what_was_said() -> None:
    ledger = Ledger(50)
    piece = draft("piece")
    ledger.admit(piece._replace(subject=Subject(7, 0, "10.1.1.1", 6, 445)), START_NS)
    whole = draft("whole")._replace(explains=(Subject(7, 0, "", 6, 445),))
    said = ledger.admit(whole, START_NS)
    assert said is not None
    assert ("earlier-findings-folded", 1) in said.evidence
    assert ledger.admit(piece, START_NS + S) is None
    (again,) = ledger.close_interval(START_NS + HOUR + S)
    assert (again.cause, again.count) == ("whole", 2)


def test_memory_is_bounded() -> None:
    ledger = Ledger(1)
    for n in range(CAUSES_MAX + 100):
        ledger.admit(draft(f"c{n}")._replace(groups=(Group(f"g{n}", "m", 3, ""),)), START_NS)
    assert len(ledger._open) == CAUSES_MAX
    assert ledger.admit(replace_cause(draft("x"), "c0"), START_NS) is None  # forgotten: new, so over the cap again


def replace_cause(one: Draft, cause: str) -> Draft:
    return one._replace(finding=replace(one.finding, cause=cause))
