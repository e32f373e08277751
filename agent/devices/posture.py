"""How a device stands: what system it runs and whether anybody still corrects it, which versions it agrees to."""

from collections.abc import Collection, Mapping

from agent.devices.advisories import PosturePack
from agent.devices.evidence import Identity
from agent.devices.known import Known
from agent.devices.records import OLD_SERVICES, SMB_DIALECTS, TLS_VERSIONS, Posture
from agent.devices.roles import UNKNOWN

# Signals in which a system names itself to another one. A browser's word and the shape of a SYN are copied or shared:
# an old system is told by one of these, or by both of the others together.
STATED = frozenset({"smb.os", "smb.os-version", "netbios.os", "dhcp.vendor", "dhcpv6.vendor"})
HINTS = frozenset({"tcp.syn", "http.agent"})
SURE_FROM = 0.6  # a role below this confidence makes no match by maker and role
# What is heard of a version -> the version, oldest first: nothing else is one.
_TLS_ANSWERS = {("tls.chosen", version): version for version in TLS_VERSIONS}
_TLS_ASKS = {("tls.version", version): version for version in TLS_VERSIONS}
_SMB = {("smb.dialect", dialect): dialect for dialect in SMB_DIALECTS}
_SERVICES = {("offers", port): name for port, name in OLD_SERVICES.items()}


def posture_of(device: Known, identity: Identity, pack: PosturePack) -> Posture:
    """What was heard of one device. A gateway has none: what goes through it is said by others."""
    if device.is_gateway:
        return Posture()
    system, ended = oldest_system(device, identity, pack)
    # A card alone matches nothing: cards are what a flood invents, by the thousand.
    role = identity.role if identity.confidence >= SURE_FROM and device.facts else UNKNOWN
    names = (*device.models, *device.systems)
    return Posture(
        system=system,
        said_by=tuple(sorted(device.systems.get(system, ()))),
        ended=ended,
        tls_answers=_heard(device.seen, _TLS_ANSWERS),
        tls_asks=_heard(device.seen, _TLS_ASKS),
        smb=_heard(device.seen, _SMB),
        services=_heard(device.facts, _SERVICES),
        log_ins=tuple(sorted(value for kind, value in device.facts if kind == "credentials.clear")),
        advisories=pack.about(names, identity.vendor, role),
        default_logins=pack.logins.about(device.facts.keys(), identity.vendor, role),
    )


def _is_told(kinds: Collection[str]) -> bool:
    """Whether these signals together are enough to call a system out of support."""
    return bool(STATED.intersection(kinds)) or set(kinds).issuperset(HINTS)


def oldest_system(device: Known, identity: Identity, pack: PosturePack) -> tuple[str, str]:
    """(system, end of its support): the one that ended first of those that are told well enough; else identity's."""
    told = [name for name, kinds in device.systems.items() if _is_told(kinds)]
    ended = min(((day, name) for name in told if (day := pack.ended(name))), default=("", identity.os))
    return ended[1], ended[0]


def _heard(said: Collection[tuple[str, str]], known: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """Which of these were heard, in the order of the table."""
    return tuple([known[key] for key in known if key in said]) if said else ()
