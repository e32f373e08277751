"""What somebody, or something, does to a ward: contacts, searches, floods, guesses and claims.

Plays for `misbehaviour.py`; nothing is sent anywhere.
"""

from tests.forge import arp, dhcp, http, tls
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.icmp import echo
from tests.forge.ipv4 import ICMP, UDP, Ipv4
from tests.forge.octets import BROADCAST
from tests.forge.udp import Udp
from tests.simulators import services
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S, Step
from tests.simulators.stage import BUSY, ELSEWHERE, ODD_SERVER, PUBLIC, Stage, sweep, tries
from tests.simulators.ward_cast import PREFIX
from tests.simulators.ward_life import asks

POOL, CONTEC = "104.243.33.118", "202.114.4.119"
MIB = 1 << 20


def pump_calls_out(stage: Stage) -> None:
    """A pump talks to a public address."""
    pump = stage.one("infusion-pump")
    stage.mac, stage.evidence_s = pump.mac, stage.session(pump, stage.far(PUBLIC), 4444)


def worm(stage: Stage) -> None:
    """A modality looks for file shares, as WannaCry does."""
    sweep(stage, stage.one("imaging-modality"), 445)


def telnet_worm(stage: Stage) -> None:
    """A camera looks for Telnet, as Mirai does."""
    sweep(stage, stage.one("ip-camera"), 23)


def pump_searches(stage: Stage) -> None:
    """A pump tries a web port on a neighbouring subnet."""
    sweep(stage, stage.one("infusion-pump", 1), 8080)


def ports_tried(stage: Stage) -> None:
    """A laptop tries a monitor's ports."""
    laptop, bed = stage.intruder("laptop", "3c:52:82:01:02:03", 99), stage.one("patient-monitor")
    stage.plays(tries(laptop, [(bed, port) for port in range(1000, 1060)], refused=True), 10)
    stage.mac, stage.evidence_s = laptop.mac, 10 + 20 * 0.09


def ward_asked_for(stage: Stage) -> None:
    """A laptop asks by ARP for every address."""
    laptop = stage.intruder("laptop", "3c:52:82:01:02:04", 99)

    def scene(ward: Medium) -> Behaviour:
        for last in range(1, 255):
            ward.put(arp.request((laptop.mac, laptop.ip), f"{PREFIX}{last}"))
            yield 30 * MS

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = laptop.mac, 10 + 64 * 0.03


def telnet_to_pump(stage: Stage) -> None:
    """A workstation opens Telnet on a pump."""
    pump = stage.one("infusion-pump")
    stage.mac, stage.evidence_s = pump.mac, stage.session(stage.one("clinical-workstation"), pump, 23)


def ftp_to_pump(stage: Stage) -> None:
    """A workstation opens FTP on a pump."""
    pump = stage.one("infusion-pump")
    stage.mac, stage.evidence_s = pump.mac, stage.session(stage.one("clinical-workstation"), pump, 21)


def strip_sent_away(stage: Stage) -> None:
    """A monitor sends to a line printer daemon, as Contec's firmware does."""
    bed = stage.one("patient-monitor")
    stage.mac, stage.evidence_s = bed.mac, stage.session(bed, stage.far(ODD_SERVER), 515)


def firmware_mounted(stage: Stage) -> None:
    """A monitor mounts NFS from an address inside."""
    bed = stage.one("patient-monitor", 1)
    stage.mac, stage.evidence_s = bed.mac, stage.session(bed, stage.far(ODD_SERVER), 2049)


def hard_coded_address(stage: Stage) -> None:
    """A monitor contacts the address that stands in Contec's firmware."""
    bed = stage.one("patient-monitor", 2)
    stage.plays(tries(bed, [(stage.far(CONTEC), 2049)]))
    stage.mac, stage.evidence_s = bed.mac, 5


def share_on_a_pump(stage: Stage) -> None:
    """A pump answers on a file share, as a dock does before it is given other firmware."""
    pump, cart = stage.one("infusion-pump", 2), stage.one("clinical-workstation")
    stage.mac, stage.evidence_s = pump.mac, stage.session(cart, pump, 445)


def pump_accepts(stage: Stage) -> None:
    """A workstation opens a session on a pump's web port."""
    pump, cart = stage.one("infusion-pump", 3), stage.one("clinical-workstation", 1)
    stage.mac, stage.evidence_s = pump.mac, stage.session(cart, pump, 8080)


def screen_taken(stage: Stage) -> None:
    """A workstation steers a modality by VNC."""
    scanner, cart = stage.one("imaging-modality"), stage.one("clinical-workstation")
    stage.mac, stage.evidence_s = scanner.mac, stage.session(cart, scanner, 5900)


def desk_to_desk(stage: Stage) -> None:
    """One workstation steers another by RDP, as before a ransom note."""
    one, other = stage.one("clinical-workstation"), stage.one("clinical-workstation", 1)
    stage.mac, stage.evidence_s = other.mac, stage.session(one, other, 3389)


def coins(stage: Stage) -> None:
    """A modality mines."""
    scanner, pool = stage.one("imaging-modality"), stage.far(POOL)
    said = b'{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"x","pass":"x","agent":"xmr-stak/2.10.8"}}\n'
    told = b'{"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"1","job":{"blob":"0707","job_id":"1"}}}\n'
    steps = (Step(BUSY, True, said), Step(BUSY, False, told)) * 2
    stage.mac, stage.evidence_s = scanner.mac, stage.session(scanner, pool, 3333, steps)


def orders_awaited(stage: Stage) -> None:
    """A monitor calls the same odd server every twenty seconds."""
    bed, server = stage.one("patient-monitor", 3), stage.far(ODD_SERVER)
    for call in range(15):
        stage.session(bed, server, 8081, after_s=call * 20.0)
    stage.mac, stage.evidence_s = bed.mac, 6 * 20


def _carried(stage: Stage, one: Host, server: Host, port: int) -> None:
    """Six mebioctets a minute, five times."""
    steps = [Step(50 * MS, True, bytes(58_400)) for _ in range(6 * MIB // 58_400)]
    steps += [Step(MS, False, b"ok")]
    for minute in range(5):
        stage.session(one, server, port, steps, after_s=minute * 60.0)
    stage.mac, stage.evidence_s = one.mac, 3 * 60


def carried_away(stage: Stage) -> None:
    """A monitor sends six mebioctets a minute to a server that it never had."""
    _carried(stage, stage.one("patient-monitor", 4), stage.far(ODD_SERVER), 4444)


def carried_by_https(stage: Stage) -> None:
    """The same on a port that the monitor's contract opens to every address of the site."""
    _carried(stage, stage.one("patient-monitor", 9), stage.far(ODD_SERVER), 443)


def carried_to_its_own(stage: Stage) -> None:
    """A pump sends its own server, on its own port, far more than pumps have to say."""
    _carried(stage, stage.one("infusion-pump", 10), stage.life.ward.hosts[services.PUMP_SERVER], 3613)


def pings_that_carry(stage: Stage) -> None:
    """A board's echo messages are answered with more than they asked."""
    board, far = stage.intruder("board", "b8:27:eb:01:02:05", 99), stage.far(PUBLIC)

    def scene(ward: Medium) -> Behaviour:
        for number in range(200):
            ward.send(board, far.ip, ICMP, echo(7, number, bytes(90)))
            yield 20 * MS
            ward.send(far, board.ip, ICMP, echo(7, number, bytes(380), answer=True))
            yield 180 * MS

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = board.mac, 10 + 60  # it must go on for more than one interval


def datagrams_thrown(stage: Stage) -> None:
    """A laptop throws datagrams at a monitor."""
    laptop, bed = stage.intruder("laptop", "3c:52:82:01:02:06", 99), stage.one("patient-monitor")

    def scene(ward: Medium) -> Behaviour:
        for _ in range(110_000):
            ward.datagram(laptop, bed.ip, (40_000, 9999), b"\xff" * 32)
            yield MS

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = laptop.mac, 10 + 60


def sessions_thrown(stage: Stage) -> None:
    """A laptop begins sessions with a modality and completes none."""
    laptop, scanner = stage.intruder("laptop", "3c:52:82:01:02:07", 99), stage.one("imaging-modality")

    def scene(ward: Medium) -> Behaviour:
        for _ in range(3000):
            ward.add(Conversation(ward, laptop, scanner, 104).probe(refused=True), ward.now_ns)
            yield 40 * MS

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = laptop.mac, 10 + 60


def _guesses(stage: Stage, target: Host, port: int, client: Host) -> None:
    steps = (Step(50 * MS, True, bytes(80)), Step(50 * MS, False, bytes(120))) * 4
    for attempt in range(20):
        stage.session(client, target, port, steps, after_s=10 + attempt * 3.0)
    stage.mac, stage.evidence_s = client.mac, 10 + 10 * 3


def passwords_of_the_archive(stage: Stage) -> None:
    """A laptop tries passwords on the PACS by SSH."""
    laptop = stage.intruder("laptop", "3c:52:82:01:02:08", 99)
    _guesses(stage, stage.one("pacs"), 22, laptop)


def passwords_of_a_scanner(stage: Stage) -> None:
    """A workstation tries passwords on a modality by RDP."""
    _guesses(stage, stage.one("imaging-modality"), 3389, stage.one("clinical-workstation", 2))


def between_archive_and_ward(stage: Stage) -> None:
    """A board claims the address of the PACS, beside its own, while the PACS works."""
    board, archive = stage.intruder("board", "b8:27:eb:01:02:09", 99), stage.one("pacs")

    def scene(ward: Medium) -> Behaviour:
        for _ in range(20):
            ward.put(arp.gratuitous((board.mac, archive.ip)))
            yield S
            yield from asks(archive, ward.hosts[services.GATEWAY])(ward)
            yield S

    stage.plays(scene, 20)
    stage.mac, stage.evidence_s = board.mac, 20 + 1


def two_of_one_address(stage: Stage) -> None:
    """Somebody comes with the printer's address."""
    printer = stage.one("printer")
    twin = Host("twin", "3c:52:82:01:02:0a", printer.ip, printer.rng, neighbours=printer.neighbours)

    def scene(ward: Medium) -> Behaviour:
        for _ in range(10):
            ward.put(arp.gratuitous((twin.mac, twin.ip)))
            yield S
            yield from asks(twin, ward.hosts[services.GATEWAY])(ward)
            yield from asks(printer, ward.hosts[services.GATEWAY])(ward)
            yield 5 * S

    stage.plays(scene)
    stage.mac, stage.evidence_s = twin.mac, 2


def other_addresses_given(stage: Stage) -> None:
    """A board answers DHCP with itself as gateway and name server."""
    board, pump = stage.intruder("board", "b8:27:eb:01:02:0b", 99), stage.one("infusion-pump")
    given = dhcp.server_options(board.ip, board.ip, services.DOMAIN)

    def scene(ward: Medium) -> Behaviour:
        for _ in range(3):
            offer = dhcp.Dhcp(dhcp.OFFER, pump.mac, 99, given, yours=pump.ip, server=board.ip)
            packet = Ipv4(board.ip, pump.ip, UDP).octets(Udp(67, 68).octets(board.ip, pump.ip, offer.octets()))
            ward.put(ethernet(BROADCAST, board.mac, IPV4, packet))
            yield S

    stage.plays(scene, 20)
    stage.mac, stage.evidence_s = board.mac, 20


def page_from_a_pump(stage: Stage) -> None:
    """A pump's web page is opened from the site's other side, and answered with a form."""
    pump, far = stage.one("infusion-pump", 7), stage.far(f"{ELSEWHERE}200")
    steps = [
        Step(BUSY, True, http.request("GET", "/", {"Host": pump.ip})),
        Step(BUSY, False, http.response(200, "OK", {"Server": "x"}, b"<form>")),
    ] * 2
    stage.mac, stage.evidence_s = pump.mac, stage.session(far, pump, 8443, steps)


def cart_on_the_web(stage: Stage) -> None:
    """A workstation goes to the Internet without the proxy."""
    cart, far = stage.one("clinical-workstation", 4), stage.far(PUBLIC)
    steps = [
        Step(BUSY, True, tls.client_hello("mail.example", bytes(32))),
        Step(BUSY, False, tls.server_hello(bytes(32)) + tls.application(bytes(900))),
        Step(BUSY, True, tls.application(bytes(400))),
        Step(BUSY, False, tls.application(bytes(900))),
    ]
    stage.mac, stage.evidence_s = cart.mac, stage.session(cart, far, 443, steps)
