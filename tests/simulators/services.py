"""What every device of the ward needs: a lease, names, the time, TLS pages; and what the network gear says."""

from tests.forge import dhcp, dns, http, ntp, tls
from tests.forge.ethernet import IPV4, ethernet, lldp, stp
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.octets import BROADCAST, ip
from tests.forge.udp import Udp
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S, Step

DOMAIN = "st-ottilie.example"
GATEWAY, SWITCH, CORE, ENGINE, PACS, PUMP_SERVER, SDC_SERVER = (f"10.20.30.{n}" for n in (1, 2, 10, 11, 12, 13, 14))
CENTRAL = "10.20.30.130"
EHR, PORTAL, FILES, RECORDER = "10.20.8.20", "10.20.8.21", "10.20.8.25", "10.20.8.30"  # behind the gateway
SERVER_NAMES = {
    "pump-server": PUMP_SERVER, "hl7": ENGINE, "pacs": PACS, "central": CENTRAL, "ehr": EHR, "portal": PORTAL,
    "files": FILES, "ntp": CORE, "sdc": SDC_SERVER,
}  # fmt: skip


def about(host: Host, period_ns: int, percent: int = 10) -> int:
    """A period with some jitter."""
    spread = period_ns * percent // 100
    return period_ns - spread + host.rng.randrange(2 * spread + 1)


def _dhcp_frame(message: dhcp.Dhcp, source: tuple[str, str], target: tuple[str, str], *, answer: bool) -> bytes:
    ports = (67, 68) if answer else (68, 67)
    packet = Ipv4(source[1], target[1], UDP).octets(Udp(*ports).octets(source[1], target[1], message.octets()))
    return ethernet(target[0], source[0], IPV4, packet)


def lease(
    ward: Medium, host: Host, vendor_class: str, *, fresh: bool, asks: bytes = b"\x01\x03\x06\x0f\x2a"
) -> Behaviour:
    """DISCOVER, OFFER, REQUEST, ACK; or only the last two by who remembers its address (RFC 2131 4.3.2)."""
    server, number = ward.hosts[CORE], host.rng.randrange(1 << 32)
    about_me, nobody, everybody = (
        dhcp.client_options(host.name, vendor_class, asks),
        (host.mac, "0.0.0.0"),
        (BROADCAST, "255.255.255.255"),
    )
    given = dhcp.server_options(CORE, GATEWAY, DOMAIN)
    turns = [(dhcp.DISCOVER, dhcp.OFFER)] if fresh else []
    for ask, tell in [*turns, (dhcp.REQUEST, dhcp.ACK)]:
        wanted = {dhcp.WANTED: ip(host.ip)} if ask == dhcp.REQUEST else {}
        question = dhcp.Dhcp(ask, host.mac, number, {**wanted, **about_me})
        ward.put(_dhcp_frame(question, nobody, everybody, answer=False))
        yield about(host, 3 * MS, 50)
        answer = dhcp.Dhcp(tell, host.mac, number, given, yours=host.ip, server=CORE)
        ward.put(_dhcp_frame(answer, (server.mac, CORE), (host.mac, host.ip), answer=True))
        yield about(host, 20 * MS, 50)


def lookup(ward: Medium, host: Host, label: str) -> Behaviour:
    """A DNS question to the hospital's server; a name outside its list does not exist."""
    name, address = f"{label}.{DOMAIN}", SERVER_NAMES.get(label)
    number = host.rng.randrange(1 << 16)
    records = [dns.a(name, address)] if address else []
    answer = dns.answer(number, name, records, rcode=0 if address else dns.NXDOMAIN)
    yield from ward.exchange(host, ward.hosts[CORE], dns.DNS_PORT, dns.question(number, name), answer)


def time_sync(ward: Medium, host: Host, period_ns: int) -> Behaviour:
    """NTP at a steady period."""
    while True:
        question = ntp.client(ward.start_ns + ward.now_ns)
        answer = ntp.server(question, ward.start_ns + ward.now_ns + MS)
        yield from ward.exchange(host, ward.hosts[CORE], ntp.NTP_PORT, question, answer)
        yield about(host, period_ns, 2)


def tls_handshake(talk: Conversation, host: str) -> Behaviour:
    """Client hello, server hello with the rest encrypted, client finished."""
    rng = talk.client.rng
    yield from talk.say(from_client=True, data=tls.client_hello(host, rng.randbytes(32)))
    yield 2 * MS
    rest = tls.record(tls.CHANGE_CIPHER, b"\x01") + tls.application(rng.randbytes(120) * 10)
    yield from talk.say(from_client=False, data=tls.server_hello(rng.randbytes(32)) + rest)
    yield MS
    yield from talk.say(
        from_client=True, data=tls.record(tls.CHANGE_CIPHER, b"\x01") + tls.application(rng.randbytes(58))
    )


def browse(ward: Medium, host: Host, label: str, pages: int) -> Behaviour:
    """A TLS session with a hospital application: some pages, then closed."""
    yield from lookup(ward, host, label)
    server = ward.hosts[SERVER_NAMES[label]]
    yield from ward.resolve(host, server.ip)
    talk = Conversation(ward, host, server, 443)
    yield from talk.open()
    yield from tls_handshake(talk, f"{label}.{DOMAIN}")
    for _ in range(pages):
        yield about(host, 7 * S, 60)
        yield from talk.say(from_client=True, data=tls.application(host.rng.randbytes(host.rng.randrange(200, 700))))
        yield 30 * MS
        yield from talk.say(
            from_client=False, data=tls.application(host.rng.randbytes(host.rng.randrange(300, 1300)) * 3)
        )
    yield 20 * MS
    yield from talk.close()


def switch(ward: Medium, host: Host) -> Behaviour:
    """Spanning tree every 2 s, LLDP every 30 s."""
    for number in range(1_000_000):
        ward.put(stp(host.mac, host.mac))
        if number % 15 == 0:
            ward.put(
                lldp(
                    host.mac,
                    "Gi1/0/24",
                    f"{host.name}.{DOMAIN}",
                    "Cisco IOS Software, C2960X Software, Version 15.2(7)E",
                )
            )
        yield 2 * S


def status_page(ward: Medium, host: Host, target: Host) -> Behaviour:
    """The core server reads a printer's status page by HTTP."""
    ask = http.request(
        "GET", "/hp/device/info", {"Host": target.ip, "User-Agent": "OttiWatch/2.1", "Connection": "close"}
    )
    tell = http.response(
        200, "OK", {"Server": "HP HTTP Server; HP LaserJet M507", "Content-Type": "text/html"}, b"<html>ready</html>"
    )
    while True:
        yield about(host, 120 * S)
        yield from ward.session(host, target, 80, [Step(2 * MS, True, ask), Step(8 * MS, False, tell)])
