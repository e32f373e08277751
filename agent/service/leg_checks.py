"""Is a leg there, does it hear all of what is on the wire as it was on the wire, and is it silent.

Everything is asked of the kernel, nothing is set and nothing is sent.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from agent.errors import InputError, LinkError, StateError
from agent.service.board import number_of
from agent.service.check import Check, fail, ok, warn
from agent.service.egress import Drop, Egress, egress
from agent.service.status import LegStatus, Status
from agent.service.top_view import directions
from agent.tap.link import Link, Links
from agent.tap.offloads import CUTTING, MERGING, CardSettings, card_settings, offloads_on
from agent.tap.packet_socket import LINK_TYPES

ETHERNET_MTU = 1500
ARPHRD_ETHERNET = 1
# What `ethtool -K` calls some features; the others go by the kernel's name.
SHORT = {"rx-gro": "gro", "rx-lro": "lro", "tx-generic-segmentation": "gso"} | dict.fromkeys(CUTTING[:2], "tso")
AGAIN = "sudo systemctl restart wardtap-leg@{leg}"


class LegFacts(NamedTuple):
    """What can be known of a leg from outside."""

    name: str
    link: Link | None
    addresses: tuple[str, ...]
    merging: tuple[str, ...]
    cutting: tuple[str, ...]
    card: CardSettings
    ipv6: bool  # whether IPv6 is on
    wireless: bool
    egress: Egress


def gather(name: str, root: Path) -> LegFacts:
    """Ask the kernel, and what lists its filters. LinkError when it does not answer."""
    with closing(Links()) as links:
        link = links.named(name)
        addresses = tuple(links.addresses(link.number)) if link else ()
    return LegFacts(
        name=name,
        link=link,
        addresses=addresses,
        merging=_offloads(name, MERGING),
        cutting=_offloads(name, CUTTING),
        card=card_settings(name),
        ipv6=number_of(root / "proc/sys/net/ipv6/conf" / name / "disable_ipv6") == 0,
        wireless=(root / "sys/class/net" / name / "wireless").exists(),
        egress=egress(name) if link else Egress(Drop.UNKNOWN),
    )


def _offloads(name: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return offloads_on(name, wanted)
    except InputError:
        return ()  # a driver without features merges nothing; that the leg is missing is said elsewhere


def leg_checks(facts: LegFacts, status: Status | None) -> Iterator[Check]:
    """Every line about one leg. `status` is the running sensor's."""
    name, link = facts.name, facts.link
    if link is None:
        yield fail("leg", name, "no such interface", "`ip -br link` lists them; set [tap] legs", InputError)
        return
    told = next((leg for leg in status.legs if leg.name == name), None) if status else None
    yield _kind(facts, link)
    yield _state(name, link)
    yield _promiscuous(name, link, told)
    yield _addresses(facts)
    yield _arp(name, link)
    yield _offloads_off(facts)
    yield _mtu(name, link)
    yield _ring(name, facts.card)
    if facts.card.pauses:
        yield warn(
            "silence", name, "the card may send PAUSE frames", f"sudo ethtool -A {name} autoneg off rx off tx off"
        )
    yield _egress(name, facts.egress)
    yield _sent(name, link, told)


def _kind(facts: LegFacts, link: Link) -> Check:
    name = facts.name
    if facts.wireless:
        todo = "a tap needs a cable: name a wired interface in [tap] legs"
        return fail("leg", name, "is wireless and hears its own traffic only", todo, InputError)
    if link.kind not in LINK_TYPES:
        return fail("leg", name, f"its kind (ARPHRD {link.kind}) is not read", "name an Ethernet interface", InputError)
    if link.kind != ARPHRD_ETHERNET:
        return warn("leg", name, "is no Ethernet interface: devices have no MAC address there")
    return ok("leg", name, f"is there (interface {link.number})")


def _state(name: str, link: Link) -> Check:
    if not link.up:
        return fail("leg", name, "is down", AGAIN.format(leg=name), LinkError)
    if not link.carrier:
        return fail("leg", name, "no carrier", "plug the cable in; see that the tap or mirror port is on", LinkError)
    return ok("leg", name, "up, with carrier")


def _promiscuous(name: str, link: Link, told: LegStatus | None) -> Check:
    if link.promiscuity:
        return ok("leg", name, "promiscuous")
    if told is not None and not told.fault:
        return warn("leg", name, "the sensor listens and the interface is not promiscuous", AGAIN.format(leg=name))
    return ok("leg", name, "not promiscuous yet: the sensor asks for it")


def _addresses(facts: LegFacts) -> Check:
    if facts.addresses:
        what = f"has an address ({', '.join(facts.addresses[:4])}): it is not silent"
        return fail("silence", facts.name, what, f"sudo ip address flush dev {facts.name}; who set it?", StateError)
    if facts.ipv6:
        todo = f"sudo sysctl -w net/ipv6/conf/{facts.name}/disable_ipv6=1"
        return warn("silence", facts.name, "no address, but IPv6 is on: it may introduce itself", todo)
    return ok("silence", facts.name, "no IP address, IPv6 off")


def _arp(name: str, link: Link) -> Check:
    if link.arp and link.kind == ARPHRD_ETHERNET:
        return warn("silence", name, "ARP is on", f"sudo ip link set dev {name} arp off")
    return ok("silence", name, "ARP off")


def _offloads_off(facts: LegFacts) -> Check:
    on = (*facts.merging, *facts.cutting)
    words = dict.fromkeys(SHORT.get(feature, feature) for feature in on)
    todo = f"sudo ethtool -K {facts.name} {' '.join(f'{word} off' for word in words)}"
    if facts.merging:
        what = f"frames are merged before they are heard ({', '.join(facts.merging)}): packets are counted too few"
        return warn("offloads", facts.name, what, todo)
    if facts.cutting:
        return warn("offloads", facts.name, f"for sending, which a leg never does: {', '.join(facts.cutting)}", todo)
    return ok("offloads", facts.name, "off (GRO, LRO, GSO, TSO)")


def _mtu(name: str, link: Link) -> Check:
    todo = f"sudo ip link set dev {name} mtu"
    if link.mtu < ETHERNET_MTU:
        return warn("mtu", name, f"{link.mtu}: the card may drop frames that are whole", f"{todo} {ETHERNET_MTU}")
    if link.mtu == ETHERNET_MTU:
        return ok("mtu", name, f"{link.mtu}; if the ward uses jumbo frames: {todo} 9000")
    return ok("mtu", name, f"{link.mtu}")


def _ring(name: str, card: CardSettings) -> Check:
    if card.ring is None:
        return ok("ring", name, "the card tells of no receive ring")
    now, most = card.ring
    if now < most:
        return warn(
            "ring", name, f"the card's receive ring holds {now} of {most} frames", f"sudo ethtool -G {name} rx {most}"
        )
    return ok("ring", name, f"the card's receive ring is at its largest ({now} frames)")


def _egress(name: str, held: Egress) -> Check:
    if held.drop == Drop.UNKNOWN:
        return warn("silence", name, "whether what it would send is dropped is not readable", "run this with sudo")
    if held.drop == Drop.NONE:
        return fail("silence", name, "nothing drops what would be sent on it", AGAIN.format(leg=name), StateError)
    if held.stopped > 0:
        what = f"{held.stopped} frames were stopped by the {held.drop.value}: something here wants to send"
        return warn("silence", name, what, "find it: ss -0 -p, ip address, NetworkManager")
    return ok("silence", name, f"what would be sent is dropped ({held.drop.value})")


def _sent(name: str, link: Link, told: LegStatus | None) -> Check:
    todo = "unplug the leg and find what sends: ss -0 -p, ip address, NetworkManager"
    if told is not None and told.tx_packets:
        return fail("silence", name, f"{told.tx_packets} frames were sent while the sensor listened", todo, StateError)
    sent = link.counters.sent
    if sent:
        return warn(
            "silence", name, f"{sent} frames were sent since the interface was made", "see that the number stays"
        )
    return ok("silence", name, "nothing was sent since the interface was made")


def direction_checks(status: Status | None) -> Iterator[Check]:
    """Are both directions heard: the running sensor knows."""
    if status is None:
        yield warn("directions", "", "not known: no sensor listens", "start it, wait a minute, run this again")
        return
    for line in directions(status):
        what = line.text.partition(" ")[2].strip()
        if line.bad:
            yield fail(
                "directions", "", what, "a mirror port must copy received and sent, a tap needs two legs", LinkError
            )
        else:
            yield ok("directions", "", what)
