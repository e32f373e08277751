"""hl7-second-receiver and hl7-new-sender: where a clinical application sends, and who sends under its name."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import Remark, Scope
from agent.findings.arrivals import Arrivals, has_learned
from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.edge_draft import Said, edge_draft, peer_of, service_of
from agent.findings.peers import SENDERS_MAX, Peers
from agent.findings.records import EdgeMark, Severity
from agent.findings.words import mac_text, time_text

COMMON_MIN: Final = 2  # devices of one role under one name: it is the product's name, and a third one is no news
EDGES_MAX: Final = 64  # of a turn
EXPECTED_OF_SENDERS: Final = "A clinical application sends to the receivers it was set up for."
EXPECTED_OF_NAMES: Final = "One device sends under the name of one application."


class Hl7Peers:
    """Learns, until the tap has settled, who sends HL7 to whom and under which application's name.

    After a restart it knows them.
    """

    def __init__(self, peers: Peers, arrivals: Arrivals) -> None:
        """`peers` holds receivers and the hosts of a name, `arrivals` knows who came later."""
        self._arrivals, self._peers = arrivals, peers
        self._name_of: OrderedDict[int, str] = OrderedDict()  # to be told with a new receiver

    def judge(self, case: Case) -> Iterator[Draft]:
        """Names first: a new receiver is told with the name that is sent to it."""
        for remark in case.turn.remarks:
            yield from self._named(case, remark)
        for index in case.oldest_places(case.edges, case.marked(EdgeMark.HL7), EDGES_MAX):
            yield from self._sent(case, case.edges[index])

    def _sent(self, case: Case, edge: np.void) -> Iterator[Draft]:
        slot = int(edge["device"])
        mac, peer = case.turn.devices.mac(slot), (int(edge["peer_hi"]), int(edge["peer_lo"]))
        known = self._peers.receivers(mac)
        is_second, engine = bool(known) and peer not in known, self._peers.receives(peer)
        self._peers.know_receiver(mac, peer)
        quiet = case.settings.in_change_window(case.role(slot), case.turn.now_ns) or case.turn.devices.is_gateway(slot)
        if not is_second or quiet or not self._judges(case):
            return
        strange = edge["scope"] == Scope.INTERNET or self._arrivals.is_new(case.peer_mac(edge))
        severity = Severity.PAGE if strange and not engine else Severity.REVIEW
        if severity is Severity.PAGE or has_learned(case, case.role(slot)):
            receivers = len(self._peers.receivers(mac))
            yield self._second_draft(case, edge, severity, engine=engine, receivers=receivers)

    def _judges(self, case: Case) -> bool:
        """Whether it is known who belongs here: when the tap has settled, or did before a restart."""
        return case.turn.settled or self._peers.resumed

    def _second_draft(self, case: Case, edge: np.void, severity: Severity, *, engine: bool, receivers: int) -> Draft:
        """To a device that came after the tap had settled, or to a public address, and nobody else sends there."""
        mac = case.turn.devices.mac(int(edge["device"]))
        others = ", to which others send already" if engine else ", to which nobody sent before"
        said = Said(
            id="hl7-second-receiver",
            severity=severity,
            text=f"sends HL7 messages to a further receiver, {case.peer_text(edge)} on {service_of(edge)}{others}",
            evidence=(("sending-application", self._name_of.get(mac, "")), ("receivers", receivers)),
            expected=EXPECTED_OF_SENDERS,
            once=f"{peer_of(edge)}",
            together=True,  # an engine that fails over takes all its senders along: one cause, whatever their roles
        )
        draft = edge_draft(case, edge, said)
        # A session may be a minute old when its first message is heard: change-event has told the same move by then.
        moved = f"change-event|{peer_of(edge)}|server|{int(edge['port'])}"
        return draft if severity is Severity.PAGE else draft._replace(part_of=(moved,))

    def _named(self, case: Case, remark: Remark) -> Iterator[Draft]:
        """The name in a message's own header; an acknowledgement is the receiver's, and says nothing of a sender."""
        words = dict(remark.words)
        name, mac = words.get("hl7.sender", ""), remark.source
        slot = case.slot_of(mac)
        if not name or "hl7.ack" in words or slot is None or case.turn.devices.is_gateway(slot):
            return
        self._name_of[mac] = name
        while len(self._name_of) > SENDERS_MAX:
            self._name_of.popitem(last=False)
        application = self._peers.digest(name)
        hosts = self._peers.hosts(application)
        is_new = bool(hosts) and mac not in hosts
        before = [
            host for host in hosts if (held := case.slot_of(host)) is not None and case.role(held) == case.role(slot)
        ]
        first = next(iter(hosts), 0)
        self._peers.know_host(application, mac)
        quiet = case.settings.in_change_window(case.role(slot), case.turn.now_ns) or len(before) >= COMMON_MIN
        told = self._arrivals.is_new(mac) or has_learned(case, case.role(slot))
        if is_new and self._judges(case) and told and not quiet:
            yield _sender_draft(case, slot, remark, first)


def _sender_draft(case: Case, slot: int, remark: Remark, first: int) -> Draft:
    held, name = case.slot_of(first), dict(remark.words)["hl7.sender"]
    owner = f"the {case.label(held)}" if held is not None else mac_text(first)
    told = Told(
        text=f"{case.label(slot)} sends HL7 messages under the name of an application that {owner} had alone before",
        evidence=(
            ("sending-application", name),
            ("before", mac_text(first)),
            ("seen", time_text(remark.time_ns)),
        ),
        cause=f"hl7-new-sender|{mac_text(remark.source)}|{mac_text(first)}",
        first_ns=remark.time_ns,
        last_ns=remark.time_ns,
        expected=EXPECTED_OF_NAMES,
    )
    return Draft(
        case.finding("hl7-new-sender", Severity.REVIEW, slot, told), Subject(remark.source, remark.destination)
    )
