"""Reading one contract: what is right is read exactly, what is wrong is refused with file, line, key and a way out."""

import pytest

from agent.devices.records import EdgeDirection, Scope
from agent.devices.roles import ROLES
from agent.errors import ConfigError
from agent.findings.contract_file import Contract, parse_contract

GOOD = """\
role = "printer"
revision = 3
tier = "general"

[heartbeat]
period_s = 60
protocol = "tcp"
port = 9100
source = "a manual"
verified = "U"

[[does]]
what = "take jobs"
direction = "responds"
peers = ["local", "pacs"]
protocol = ["tcp", "udp"]
ports = [515, "9100-9102"]
source = "RFC 1179"
verified = "V"

[[does]]
what = "phone home"
direction = "both"
peers = "internet"
protocol = "tcp"
networks = ["203.0.113.0/24", "2001:db8::/32"]
source = "the site"
verified = "U"

[[never]]
what = "take Telnet"
direction = "responds"
peers = ["any"]
protocol = "tcp"
ports = [23]
source = "an advisory"
verified = "V"
"""


def read(text: str, name: str = "printer") -> Contract:
    return parse_contract(text, name, ROLES)


def test_a_good_contract() -> None:
    contract = read(GOOD)
    assert (contract.role, contract.revision, contract.tier, contract.common) == ("printer", 3, "general", True)
    assert contract.heartbeat is not None
    assert contract.heartbeat[:3] == (60, 6, 9100)
    jobs, home = contract.does
    assert jobs.directions == (EdgeDirection.RESPONDS,)
    assert jobs.scopes == (Scope.SEGMENT, Scope.SITE)
    assert jobs.peer_roles == ("pacs",)
    assert jobs.protocols == (6, 17)
    assert jobs.ports == ((515, 515), (9100, 9102))
    assert jobs.verified
    assert [str(n) for n in home.networks] == ["203.0.113.0/24", "2001:db8::/32"]
    assert contract.never[0].what == "take Telnet"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('role = "printer"', 'role = "priner"', "printer.toml:1: role: is 'priner', the file is named 'printer'"),
        ("revision = 3", "revison = 3", "printer.toml:2: revison: is not a key here (did you mean 'revision'?)"),
        ("revision = 3", "revision = 0", "printer.toml:2: revision: is not a whole number from 1"),
        ("revision = 3", "revision = true", "printer.toml:2: revision: is not a whole number"),
        ('"general"', '"generel"', "printer.toml:3: tier: is 'generel' (did you mean 'general'?)"),
        ('tier = "general"', "", "printer.toml:1: tier: is ''"),
        ("period_s = 60", "period_s = 0", "printer.toml:6: heartbeat.period_s"),
        ("period_s = 60", "periods = 60", "printer.toml:6: heartbeat.periods: is not a key here"),
        ('direction = "both"', 'direction = "out"', "printer.toml:23: does[2].direction: is 'out' (known: originates"),
        ('peers = "internet"', 'peers = "interent"', "printer.toml:24: does[2].peers: has 'interent' (did you mean"),
        ('peers = "internet"', "peers = []", "printer.toml:24: does[2].peers: is missing or empty"),
        ("ports = [23]", "ports = [0]", "printer.toml:35: never[1].ports: has 0; ports go from 1 to 65535"),
        ("ports = [23]", "ports = [65536]", "never[1].ports: has 65536"),
        ("ports = [23]", 'ports = ["23-22"]', "never[1].ports: has '23-22'"),
        ("ports = [23]", 'ports = ["telnet"]', "never[1].ports: has 'telnet', which is neither a port nor a range"),
        ("ports = [23]", "ports = [1.5]", "never[1].ports: has 1.5"),
        ('protocol = "tcp"\nports = [23]', 'protocol = "icmp"\nports = [23]', "only TCP and UDP have ports"),
        ('protocol = "tcp"\nports = [23]', 'protocol = "tpc"', "never[1].protocol: is 'tpc' (did you mean 'tcp'?)"),
        ('source = "an advisory"\nverified = "V"', 'source = "x"\nverified = "U"', 'never[1].verified: must be "V"'),
        ('source = "an advisory"', "", "printer.toml:30: never[1].source: is not a plain text"),
        ('what = "take jobs"', 'what = "take\\u0007jobs"', "printer.toml:13: does[1].what: is not a plain text"),
        ('"203.0.113.0/24"', '"203.0.113.1/24"', "does[2].networks: 203.0.113.1/24 has host bits set"),
        ("ports = [23]", 'networks = ["10.0.0.0/8"]', "never[1].networks: belongs to lines of [[does]]"),
        ("[[never]]", "[[nevr]]", "nevr: is not a key here (did you mean 'never'?)"),
        ("[heartbeat]", "[[heartbeat]]", "heartbeat: is not a table"),
        ('role = "printer"', "role = ", "printer.toml: is not TOML"),
        ('role = "printer"', 'common = "yes"\nrole = "printer"', "printer.toml:1: common: is not true or false"),
    ],
)
def test_refusals(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as refusal:
        read(GOOD.replace(old, new, 1))
    assert says in str(refusal.value)


def test_a_contract_must_do_something() -> None:
    with pytest.raises(ConfigError, match="needs at least one line"):
        read('role = "printer"\nrevision = 1\ntier = "general"\n')


def test_common_lines_forbid_nothing() -> None:
    text = GOOD.replace('"printer"', '"common"').replace("[heartbeat]", "[heartbeat]")
    with pytest.raises(ConfigError, match="belongs in a role's own contract"):
        read(text, "common")


@pytest.mark.parametrize("text", ["", "[" * 5000, "\x00", "does = 5", "[[does]]\n" * 201, "role = 7\ndoes = [[1]]"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)
