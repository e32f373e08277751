"""The judge: one turn in, the findings to say out."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from agent.findings.arrivals import Arrivals
from agent.findings.case import Case
from agent.findings.contacts import OddContacts
from agent.findings.contracts import ContractSet
from agent.findings.detectors.advisory_match import AdvisoryMatches
from agent.findings.detectors.arp_bindings import ArpBindings
from agent.findings.detectors.arp_sweep import arp_sweeps
from agent.findings.detectors.beacon import Beacons
from agent.findings.detectors.capture_loss import CaptureLoss
from agent.findings.detectors.change_event import ChangeEvents
from agent.findings.detectors.cleartext_clinical import CleartextClinical
from agent.findings.detectors.cleartext_credentials import cleartext_credentials
from agent.findings.detectors.cleartext_web import CleartextWeb
from agent.findings.detectors.clock_unsynced import ClockUnsynced
from agent.findings.detectors.consumer_device import ConsumerDevices
from agent.findings.detectors.contract_breach import contract_breaches
from agent.findings.detectors.covert_channel import CovertChannels
from agent.findings.detectors.crash_after_contact import CrashAfterContact
from agent.findings.detectors.credential_guessing import CredentialGuessing
from agent.findings.detectors.default_logins import ShippedLogins
from agent.findings.detectors.default_service import DefaultServices
from agent.findings.detectors.dhcp_starvation import DhcpStarvation
from agent.findings.detectors.dicom_peers import DicomPeers
from agent.findings.detectors.dns_tunnel import DnsTunnels
from agent.findings.detectors.exfiltration import Exfiltration
from agent.findings.detectors.exploit_header import exploit_headers
from agent.findings.detectors.flood import floods
from agent.findings.detectors.generated_names import GeneratedNames
from agent.findings.detectors.heartbeat_lost import HeartbeatLost
from agent.findings.detectors.hl7_peers import Hl7Peers
from agent.findings.detectors.icmp_tunnel import IcmpTunnel
from agent.findings.detectors.inbound_to_clinical import inbound_sessions
from agent.findings.detectors.internet_contact import internet_contacts
from agent.findings.detectors.known_bad import known_bad_destinations
from agent.findings.detectors.legacy_os import LegacySystems
from agent.findings.detectors.legacy_tls import LegacyTls
from agent.findings.detectors.mining import minings
from agent.findings.detectors.neighbour_changed import NeighbourChanges
from agent.findings.detectors.new_device import NewDevices
from agent.findings.detectors.new_edge import new_edges
from agent.findings.detectors.on_path_suspected import OnPath
from agent.findings.detectors.one_sided import OneSided
from agent.findings.detectors.policy_site import PolicySites
from agent.findings.detectors.reboot_loop import RebootLoops
from agent.findings.detectors.remote_access import remote_access
from agent.findings.detectors.rogue_bridge import RogueBridges
from agent.findings.detectors.rogue_dhcp import RogueDhcp
from agent.findings.detectors.rogue_dns import RogueDns
from agent.findings.detectors.rogue_router import RogueRouters
from agent.findings.detectors.role_contradiction import RoleContradictions
from agent.findings.detectors.scans import Scans
from agent.findings.detectors.smb1_in_use import Smb1InUse
from agent.findings.detectors.smb_exploit import SmbExploits
from agent.findings.detectors.table_pressure import TablePressure
from agent.findings.detectors.tap_blind import TapBlind
from agent.findings.detectors.tap_transmitted import TapTransmitted
from agent.findings.draft import Draft, Subject
from agent.findings.held import HeldEdges
from agent.findings.learning import Teacher
from agent.findings.ledger import Ledger
from agent.findings.name_lists import NameLists
from agent.findings.name_model import NameModel
from agent.findings.peers import Peers
from agent.findings.records import NO_ROWS, ClockNote, EdgeMark, Finding, Roles, Rows, Turn, Usual
from agent.findings.settings import CHANGE_WINDOWS_MAX, ChangeWindow, JudgeSettings
from agent.findings.suffixes import Suffixes
from agent.findings.suppressions import Explained, Silence
from agent.findings.verdicts import verdicts
from agent.findings.volumes import Volumes
from agent.findings.words import NS_PER_S

WINDOW_KEPT_NS: Final = 7 * 24 * 3600 * NS_PER_S  # a window that ended so long before the next one begins is over


class Engine:
    """Runs the detectors in order and folds what they say. Holds no packets, no names, and bounded memory."""

    def __init__(
        self,
        contracts: ContractSet,
        settings: JudgeSettings | None,
        usual: Usual,
        lists: NameLists | None = None,
    ) -> None:
        """Nothing was said yet; `usual` is what was learned so far.

        Without `lists` no site is known, and every name's last two labels are an owner's.
        """
        self.contracts: Final = contracts
        self.settings = settings or JudgeSettings()
        self._usual: Final = usual
        self._teacher = Teacher(self._usual)
        self._ledger = Ledger(self.settings.findings_per_interval_max)
        self.silence: Final = Silence(round(self.settings.page_confidence * 1000))
        self._explained_anew = False
        self._held = HeldEdges()
        self._loss = CaptureLoss()
        self._pressure = TablePressure()
        self._blind = TapBlind()
        self._transmitted = TapTransmitted()
        self._one_sided = OneSided()
        self._clock = ClockUnsynced()
        self.clock = ClockNote()  # what the service knows of the clock, newest
        self._scans = Scans()
        self.peers: Final = Peers()
        self._new = NewDevices(self.peers)
        self._odd = OddContacts()
        self._crashes = CrashAfterContact()
        self._heartbeats = HeartbeatLost()
        self._reboots = RebootLoops()
        self._bindings = ArpBindings()
        self._dhcp = RogueDhcp()
        self._routers = RogueRouters()
        self._bridges = RogueBridges()
        self._dns = RogueDns(self._dhcp)
        self._starvation = DhcpStarvation()
        self._on_path = OnPath()
        self._neighbours = NeighbourChanges()
        self._tunnels = IcmpTunnel()
        self._guesses = CredentialGuessing()
        self._beacons = Beacons()
        self.volumes: Final = Volumes(len(contracts.roles))
        self._exfiltration = Exfiltration(self.volumes)
        self._consumers = ConsumerDevices()
        self._contradictions = RoleContradictions()
        self._changes = ChangeEvents(self.peers)
        self._smb1 = Smb1InUse()
        self._exploits = SmbExploits()
        self._cleartext = CleartextClinical()
        self._services = DefaultServices()
        self._web = CleartextWeb()
        self._postures = (LegacySystems(), LegacyTls(), AdvisoryMatches(), ShippedLogins())
        lists = lists or NameLists(Suffixes(), NameModel())
        self._dns_tunnels = DnsTunnels(lists)
        self._generated = GeneratedNames(lists)
        self._sites = PolicySites(lists)
        self._arrivals = Arrivals(self.peers)
        self._dicom = DicomPeers(self.peers, self._arrivals)
        self._hl7 = Hl7Peers(self.peers, self._arrivals)
        self._covert = CovertChannels()

    def load(self, roles: Roles) -> None:
        """Bring the kernel into memory, with no edges."""
        verdicts(self.contracts.table, NO_ROWS, roles)

    def judge(self, turn: Turn) -> list[Finding]:
        """Findings of this turn, in a fixed order: scans first, because what belongs to one is not judged again."""
        case = self._case(turn)
        self._know(turn)
        self._arrivals.look(case)
        drafts = itertools.chain(self._of_the_tap(case), self._of_the_turn(case), self._of_the_interval(case))
        look = turn.interval_closed or self._explained_anew
        released = self.silence.released(turn.now_ns) if look else ()
        said = self._silenced(turn)
        for draft in itertools.chain(released, drafts):
            finding = None if self.silence.holds(draft, turn.now_ns) else self._ledger.admit(draft, turn.now_ns)
            if finding is not None:
                said.append(finding)
        for cause, count, last_ns in self._scans.folded:
            self._ledger.note(cause, count, last_ns)
        self._arrivals.close(case)
        self._hold(case)
        self._teacher.suspect(said, turn.now_ns)
        self._teacher.teach(case)
        if turn.interval_closed:
            said += self._ledger.close_interval(turn.now_ns)
        return said

    @property
    def frozen_intervals(self) -> int:
        """Intervals that taught nothing, because the capture was lossy."""
        return self._teacher.frozen_intervals

    def declare(self, window: ChangeWindow) -> None:
        """A time of change that somebody announces; over ones are dropped, and the oldest when there are too many."""
        kept = [w for w in self.settings.change_windows if w != window and w.end_ns > window.start_ns - WINDOW_KEPT_NS]
        self.settings = replace(self.settings, change_windows=(*kept[1 - CHANGE_WINDOWS_MAX :], window))

    def explain(self, explained: Explained) -> None:
        """What a site has explained from now on: suppressions take the place of those before, windows are declared."""
        self.silence.replace(explained.suppressions)
        for window in explained.windows:
            self.declare(window)
        self._explained_anew = True

    def _silenced(self, turn: Turn) -> list[Finding]:
        """Suppressions reach back: what is open when they come is held back as well, until they end."""
        if not self._explained_anew and not (turn.interval_closed and self.silence.rules):
            return []
        self._explained_anew = False

        def end_of(finding: Finding, subject: Subject) -> int:
            rule = self.silence.rule_for(finding, subject, turn.now_ns)
            return rule.end_ns if rule else 0

        return self._ledger.silence(end_of, turn.now_ns)

    def _of_the_tap(self, case: Case) -> Iterator[Draft]:
        yield from self._transmitted.judge(case)
        yield from self._blind.judge(case)
        yield from self._loss.judge(case)
        yield from self._pressure.judge(case)
        yield from self._one_sided.judge(case)
        yield from self._clock.judge(case, self.clock)
        self.clock = self.clock._replace(stepped_ns=0)

    def _of_the_turn(self, case: Case) -> Iterator[Draft]:
        """New edges, fans, claims and grants. Each takes what is its own; what is left is the next one's."""
        yield from self._scans.judge(case)
        yield from arp_sweeps(case)
        yield from self._bindings.judge(case)
        yield from self._dhcp.judge(case)
        yield from self._starvation.judge(case)
        yield from self._dns.judge(case)
        yield from self._routers.judge(case)
        yield from self._neighbours.judge(case)
        yield from self._on_path.judge(case, [*self._bindings.moves, *self._neighbours.moves])
        yield from self._exploits.judge(case)
        yield from exploit_headers(case)
        yield from minings(case)
        yield from known_bad_destinations(case)
        yield from remote_access(case)
        yield from internet_contacts(case)
        yield from inbound_sessions(case)
        yield from contract_breaches(case)
        yield from new_edges(case)
        yield from cleartext_credentials(case)
        yield from self._bridges.judge(case)
        yield from self._new.judge(case)
        yield from self._reboots.judge(case)
        yield from self._dns_tunnels.judge(case)
        yield from self._generated.judge(case)
        yield from self._sites.judge(case)
        yield from self._dicom.judge(case)
        yield from self._hl7.judge(case)

    def _of_the_interval(self, case: Case) -> Iterator[Draft]:
        """What an interval's counts show, and its silences."""
        if case.turn.interval_closed:
            yield from self._tunnels.judge(case)
            yield from self._covert.judge(case)
            yield from self._guesses.judge(case)
            yield from floods(case)
            yield from self._beacons.judge(case)
            yield from self._exfiltration.judge(case)
            yield from self._services.judge(case)
            yield from self._smb1.judge(case)
            yield from self._cleartext.judge(case)
            yield from self._web.judge(case)
            yield from itertools.chain.from_iterable(detector.judge(case) for detector in self._postures)
            yield from self._consumers.judge(case)
            yield from self._contradictions.judge(case)
            yield from self._changes.judge(case)
        yield from self._silences(case)

    def _silences(self, case: Case) -> Iterator[Draft]:
        """Last of all, because what somebody took as a scan's is an odd contact; a crash explains a lost heartbeat."""
        odd = self._odd.observe(case)
        yield from self._crashes.judge(case, odd)
        yield from self._heartbeats.judge(case, odd)

    def _case(self, turn: Turn) -> Case:
        roles = turn.devices.roles()
        released = self._held.release(turn.devices, roles, everything=turn.interval_closed)
        edges = _joined(turn.edges, released) if released.shape[0] else turn.edges
        return Case(turn, self.contracts, self.settings, edges, roles, self._usual)

    def _know(self, turn: Turn) -> None:
        """Who is here, for the next run."""
        devices, peers = turn.devices, self.peers
        if turn.settled:
            peers.settle()
        peers.meet(map(devices.mac, turn.new_devices.tolist()), turn.now_ns // NS_PER_S)
        if turn.interval_closed:
            peers.hear(devices.macs().tolist(), (devices.lasts_ns() // NS_PER_S).tolist())

    def _hold(self, case: Case) -> None:
        """Edges of devices without a contract wait for a role, and so do those whose role is a guess."""
        waiting = case.left(EdgeMark.WAITS)
        if case.unsure:
            among = np.zeros(case.edges.shape[0], np.bool_)
            among[waiting] = among[case.unsure] = True
            waiting = np.flatnonzero(among)
        if waiting.size:
            self._held.hold(case.edges, waiting)


def _joined(some: Rows, more: Rows) -> Rows:
    """Rows of both, copied as plain words: numpy copies rows field by field, in fifteen times the time."""
    words = np.concatenate([np.ascontiguousarray(rows).view(np.uint64) for rows in (some, more)])
    rows: Rows = words.view(some.dtype)
    return rows
