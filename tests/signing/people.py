"""Keys from fixed seeds, and the table that trusts them."""

from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust, TrustEntry
from agent.wire.types import Role


def key(number: int) -> PrivateKey:
    """The key of a seed of one repeated octet."""
    return PrivateKey.from_seed(bytes([number]) * 32)


AGENT, OTHER_AGENT, COLLECTOR, OPERATOR, ENGINEER, CUSTODIAN, STRANGER = map(key, range(1, 8))
RELEASES = [key(number) for number in (21, 22, 23)]
ENTRIES = (
    TrustEntry.for_key(AGENT.public, Role.AGENT, "tap-1", "ward"),
    TrustEntry.for_key(OTHER_AGENT.public, Role.AGENT, "tap-2", "ward"),
    TrustEntry.for_key(COLLECTOR.public, Role.COLLECTOR, "collector", "ward"),
    TrustEntry.for_key(OPERATOR.public, Role.OPERATOR, "olga", "ward"),
    TrustEntry.for_key(ENGINEER.public, Role.ENGINEER, "emil", "ward"),
    TrustEntry.for_key(CUSTODIAN.public, Role.CUSTODIAN, "carla", "ward"),
)
ROOT = Trust(
    TrustEntry.for_key(release.public, Role.RELEASE, f"release-{number}", "root")
    for number, release in enumerate(RELEASES, 1)
)
TRUST = Trust([*ENTRIES, *ROOT.entries()], version=1, site="ward")
SIGNER_OF: dict[Role, PrivateKey] = {
    Role.AGENT: AGENT,
    Role.COLLECTOR: COLLECTOR,
    Role.OPERATOR: OPERATOR,
    Role.ENGINEER: ENGINEER,
    Role.CUSTODIAN: CUSTODIAN,
    Role.RELEASE: RELEASES[0],
}
