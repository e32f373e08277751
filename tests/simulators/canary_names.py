"""Fields where somebody can put a name, and does: host names, instances, banners, agents, users, topics, communities.

Where a line of the shipped packs knows a word, the patient's name stands right beside it: the token may leave, she not.
"""

import struct

from tests.forge import bedside, dhcp, dns, icmp, ssdp, tls
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import ICMP, UDP, Ipv4
from tests.forge.octets import BROADCAST, mac
from tests.forge.tunnels import vxlan
from tests.forge.udp import Udp
from tests.packets.hints.payloads import browser_announcement, netbios_registration, tlv_cdp, tlv_lldp
from tests.simulators.canary import DESK, GATEWAY, MONITOR, PUMP, Canaries, Place, ask, blob, tell
from tests.simulators.medium import Behaviour, Host
from tests.simulators.patients import Patient

APPROVED, PATTERN = "PCU-13408871", r"PCU-\d{8}"  # what a site may say of its pumps
MDNS, LLMNR = "224.0.0.251", "224.0.0.252"


def discover(client: Host, host: bytes, vendor: bytes, patient: Patient) -> bytes:
    """A DISCOVER with the patient in every field of text, its parameter list and client id too."""
    options = {dhcp.HOST_NAME: host, 81: b"\0\0\0" + patient.host.encode() + b".ward.example"}
    options |= {dhcp.LIST: patient.ascii_family.encode(), dhcp.VENDOR_CLASS: vendor, 61: b"\0" + host}
    message = bytearray(dhcp.Dhcp(dhcp.DISCOVER, client.mac, 7, options).octets())
    message[44:108] = patient.family.encode()[:60].ljust(64, b"\0")  # sname
    message[108:172] = patient.number.encode().ljust(64, b"\0")  # file
    segment = Udp(68, 67).octets("0.0.0.0", "255.255.255.255", bytes(message))
    return ethernet(BROADCAST, client.mac, IPV4, Ipv4("0.0.0.0", "255.255.255.255", UDP).octets(segment))


def dhcp_client(wire: Canaries, patient: Patient) -> Behaviour:
    """Host name, FQDN, vendor class, client id, and the two fields of BOOTP."""
    vendor = f"alaris-pcu-8015 {patient.family}".encode()
    yield from wire.frames(lambda client: discover(client, patient.host.encode(), vendor, patient), PUMP)
    host = f"iphone of {patient.given} {patient.family}".encode()
    yield from wire.frames(lambda client: discover(client, host, patient.told().encode()[:200], patient))


def near_approved(wire: Canaries, patient: Patient) -> Behaviour:
    """Names that a site's pattern allows, and the same with a patient's name behind it."""
    yield from wire.frames(lambda client: discover(client, APPROVED.encode(), b"", patient), PUMP)
    host = f"{APPROVED}-{patient.title}".encode()
    yield from wire.frames(lambda client: discover(client, host, b"", patient), PUMP)


def dhcpv6_client(wire: Canaries, patient: Patient) -> Behaviour:
    """Client FQDN, vendor class, and a DUID of an enterprise's own making: the sender is meant."""
    name, words = dns.name(patient.host)[:-1], patient.family.encode()
    vendor = struct.pack(">IH", 311, len(words)) + words
    duid = struct.pack(">HI", 2, 311) + words
    options = struct.pack(">HH", 1, len(duid)) + duid
    options += struct.pack(">HH", 16, len(vendor)) + vendor + struct.pack(">HH", 39, 1 + len(name)) + b"\0" + name
    yield from wire.datagrams6((546, 547), "ff02::1:2", b"\1\0\0\7" + options)


def mdns_service(wire: Canaries, patient: Patient) -> Behaviour:
    """Instance, host, service type, and every TXT key that is read."""
    instance = f"{patient.given} {patient.family}._ipp._tcp.local"
    pairs = [f"{key}={patient.given} {patient.family}" for key in ("fn", "ty", "md", "usb_mfg", "mf", "note")]
    records = [
        dns.ptr("_ipp._tcp.local", instance),
        dns.ptr("_services._dns-sd._udp.local", f"_{patient.ascii_family.lower()[:14]}._tcp.local"),
        dns.srv(instance, f"{patient.host}.local", 631),
        dns.txt(instance, [*pairs, f"model=iPhone of {patient.family}"]),
        dns.a(f"{patient.host}.local", "10.66.0.9"),
    ]
    asked = dns.question(0, f"_{patient.ascii_given.lower()[:12]}._udp.local", dns.PTR, multicast=True)
    announced = dns.announcement(records)
    yield from wire.datagrams(dns.MDNS_PORT, ask(announced), ask(asked), ask(announced + b"\0"), group=MDNS)


def dns_names(wire: Canaries, patient: Patient) -> Behaviour:
    """Questions and answers: with words the packs know before and behind the name, in UTF-8, TXT and aliases."""
    names = [
        f"{patient.host}.ward.example", f"ehr.{patient.host}.example", f"{patient.family}.facebook.com",
        f"{patient.number}.mtalk.google.com", f"{patient.told().encode().hex()[:60]}.t.example",
    ]  # fmt: skip
    turns = []
    for number, name in enumerate(names):
        told = dns.Record(name, dns.TXT, b"".join(bytes([len(p)]) + p for p in (patient.told().encode()[:200],)))
        turns += [ask(dns.question(number, name)), tell(dns.answer(number, name, [dns.a(name, "10.66.0.9"), told]))]
    yield from wire.datagrams(dns.DNS_PORT, *turns, tell(dns.answer(9, names[0], [], rcode=dns.NXDOMAIN)))


def llmnr(wire: Canaries, patient: Patient) -> Behaviour:
    """Asked for, and answered."""
    answered = dns.announcement([dns.a(patient.host, "10.66.0.9")])
    yield from wire.datagrams(
        dns.LLMNR_PORT, ask(dns.question(1, patient.family, multicast=True)), ask(answered), group=LLMNR
    )


def netbios(wire: Canaries, patient: Patient) -> Behaviour:
    """Computer, group and announcement."""
    turns = [
        ask(netbios_registration(patient.title, 0)),
        ask(netbios_registration(patient.title, 0x1C, group=True)),
    ]
    yield from wire.datagrams(137, *turns, group="255.255.255.255")
    yield from wire.datagrams(138, ask(browser_announcement(patient.title, 6, 1)), group="255.255.255.255")


def announcements(wire: Canaries, patient: Patient) -> Behaviour:
    """SSDP: type, server, agent, place; WS-Discovery: types, scopes, place."""
    name = f"{patient.given} {patient.family}"
    kind = f"urn:{patient.host}:device:{patient.number}:1"
    found = ssdp.notify(f"http://10.66.0.9/{patient.host}", kind, f"Linux/3 UPnP/1.0 {name}/1")
    search = ssdp.search(kind).replace(b"MX: 2", f"MX: 2\r\nUSER-AGENT: Google Chrome/70 {name}".encode())
    yield from wire.datagrams(ssdp.SSDP_PORT, ask(found), ask(search), group=ssdp.SSDP_GROUP)
    hello = ssdp.hello(patient.number, patient.host, f"https://{patient.host}:6464/{patient.family}")
    scopes = f"<wsd:Scopes>sdc.ctxt.loc:/{name} {patient.host}:x</wsd:Scopes><wsd:XAddrs>".encode()
    hello = hello.replace(b"<wsd:XAddrs>", scopes, 1)
    hello = hello.replace(b"dpws:Device", f"dpws:{patient.ascii_family}".encode())
    yield from wire.datagrams(ssdp.WSD_PORT, ask(hello), group=ssdp.SSDP_GROUP)


def link_layer(wire: Canaries, patient: Patient) -> Behaviour:
    """LLDP and CDP: system names, descriptions, ports, models."""
    name, words = patient.host.encode(), patient.family.encode()

    def lldp(client: Host) -> bytes:
        body = tlv_lldp(1, b"\4" + mac(client.mac)) + tlv_lldp(2, b"\5" + words) + tlv_lldp(3, b"\0\x78")
        body += tlv_lldp(4, words) + tlv_lldp(5, name) + tlv_lldp(6, b"Cisco IOS Software " + words)
        body += tlv_lldp(127, b"\0\x12\xbb\x09" + words) + tlv_lldp(127, b"\0\x12\xbb\x0a" + words)
        body += tlv_lldp(7, b"\0\x14\0\x04") + tlv_lldp(0, b"")
        return ethernet("01:80:c2:00:00:0e", client.mac, 0x88CC, body)

    def cdp(client: Host) -> bytes:
        body = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00\2\xb4\0\0" + tlv_cdp(1, name) + tlv_cdp(4, b"\0\0\0\x28")
        body += tlv_cdp(5, b"Cisco IOS 12.2 " + words) + tlv_cdp(6, b"cisco WS-C3560 " + words)
        return bytes.fromhex("01000ccccccc") + mac(client.mac) + struct.pack(">H", len(body)) + body

    yield from wire.frames(lldp)
    yield from wire.frames(cdp)


def tls_names(wire: Canaries, patient: Patient) -> Behaviour:
    """SNI and ALPN; a certificate in clear."""
    name = patient.family.encode()
    certificate = tls.record(tls.HANDSHAKE, b"\x0b\0\1\0" + b"0\x82CN=" + name + b",O=" + patient.told().encode())
    for host in (f"{patient.host}.ward.example", f"ehr.{patient.host}.example"):
        hello = tls.client_hello(host, name.ljust(32)[:32], alpn=patient.ascii_family)
        yield from wire.stream(443, ask(hello), tell(tls.server_hello(name.ljust(32)[:32]) + certificate))


def logins(wire: Canaries, patient: Patient) -> Behaviour:
    """SSH, FTP, Telnet, IMAP: banners, users and passwords."""
    user, secret = patient.ascii_family.encode(), patient.number.encode()
    banner = b"SSH-2.0-OpenSSH_8.4_" + user + b" " + patient.told().encode()[:100] + b"\r\n"
    yield from wire.stream(22, tell(banner), ask(banner))
    login = (
        ask(b"USER " + user + b"\r\n"),
        tell(b"331 who\r\n"),
        ask(b"PASS " + secret + b"\r\nSTOR " + user + b"\r\n"),
    )
    yield from wire.stream(21, tell(b"220 " + user + b" FTP\r\n"), *login)
    yield from wire.stream(23, tell(b"\xff\xfd\x18login: "), ask(user + b"\r\n"), tell(b"Password: "), ask(secret))
    yield from wire.stream(143, tell(b"* OK " + user + b"\r\n"), ask(b"a LOGIN " + user + b" " + secret + b"\r\n"))
    bind = b"\x30\x40\x02\x01\x01\x60\x3b\x02\x01\x03\x04\x18cn=" + user + b"\x80\x09" + secret
    yield from wire.stream(389, ask(bind), tell(b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00"))


def mqtt(wire: Canaries, patient: Patient) -> Behaviour:
    """Client id, user, password, will, topic, payload."""

    def text(words: bytes) -> bytes:
        return struct.pack(">H", len(words)) + words

    name = patient.host.encode()
    body = text(b"MQTT") + b"\4\xc6\0\x3c" + text(name) * 3 + text(patient.family.encode()) + text(b"pass")
    topic = text(f"ward/{patient.family}".encode()) + patient.told().encode()[:80]
    connect, publish = bytes([0x10, len(body)]) + body, bytes([0x30, min(127, len(topic))]) + topic[:127]
    yield from wire.stream(1883, ask(connect), tell(b"\x20\2\0\0"), ask(publish))


def devices(wire: Canaries, patient: Patient) -> Behaviour:
    """SNMP community and sysName, BACnet instance and names, SIP, syslog, TFTP, Capsule."""
    name = patient.host.encode()[:40]
    community = b"\x04" + bytes([len(name)]) + name
    get = b"\x30" + bytes([len(community) + 3]) + b"\x02\x01\x01" + community + b"\xa2\x20sysName" + name
    yield from wire.datagrams(161, ask(get), tell(get + patient.told().encode()))
    named = bedside.bacnet(0x0A, b"\x01\x00", b"\x30\x01\x0c\x0c\x02\0\0\1\x19\x4d\x3e\x75" + name + b"\x3f")
    has = bedside.bacnet(0x0B, b"\x01\x20\xff\xff\x00\xff", b"\x10\x07\x3d" + bytes([len(name)]) + b"\0" + name)
    yield from wire.datagrams(
        bedside.BACNET_PORT, ask(bedside.i_am(patient.instance, 5)), ask(has), tell(named), tell(named), block=DESK
    )
    register = bedside.sip_register(patient.host, "ward.example", "10.66.0.9", 1)
    invite = b"INVITE sip:x@ward.example SIP/2.0\r\nFrom: " + patient.told().encode() + b"\r\n\r\n"
    yield from wire.datagrams(bedside.SIP_PORT, ask(register), ask(invite))
    yield from wire.datagrams(514, ask(b"<13>" + name + b" " + blob(patient)[:1200]))
    yield from wire.datagrams(69, ask(b"\0\2" + name + b".dcm\0octet\0"))
    yield from wire.datagrams(5090, ask(b"\1\2CAPSULE MDIP " + name), ask(b"\1\3CAPSULE " + name), block=MONITOR)


def odd_places(wire: Canaries, patient: Patient) -> Behaviour:
    """Where no protocol expects text: echo data, padding, an unknown port, a tunnel, a cut ARP frame."""
    told = patient.told().encode()

    def echo(client: Host) -> bytes:
        packet = Ipv4(client.ip, GATEWAY, ICMP).octets(icmp.echo(1, 1, told))
        return ethernet(wire.medium.hosts[GATEWAY].mac, client.mac, IPV4, packet + told)

    def strange(client: Host) -> bytes:
        return ethernet(BROADCAST, client.mac, 0x88B5, told)

    yield from wire.frames(echo)
    yield from wire.frames(strange)
    yield from wire.stream(47123, ask(blob(patient)), tell(b'{"method":"mining.authorize","params":["' + told))
    inner = ethernet(BROADCAST, "48:4d:7e:a2:ff:fe", IPV4, Ipv4("10.66.0.7", "10.66.0.8", UDP).octets(told))
    yield from wire.datagrams(4789, ask(vxlan(7, inner)))


PLACES: dict[str, Place] = {
    "dhcp": dhcp_client, "near-approved": near_approved, "dhcpv6": dhcpv6_client, "mdns": mdns_service,
    "dns": dns_names, "llmnr": llmnr,
    "netbios": netbios, "announcements": announcements, "link": link_layer, "tls": tls_names, "logins": logins,
    "mqtt": mqtt, "devices": devices, "odd": odd_places,
}  # fmt: skip
