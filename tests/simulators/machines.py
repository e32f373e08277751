"""What further devices of a ward send: computers, telephones, ward services, consumer things.

Each sends what a device of its kind is known to send (docs/identity.md says from where); a device of which nothing but
the maker is public asks for an address, the time and a name, and no more.
"""

from tests.forge import bedside, dicom, dns, hl7, http, poct1a, tls
from tests.forge.tcp import SACK_PERMITTED, mss, timestamps, window_scale
from tests.simulators import services
from tests.simulators.clinical import CANARIES, oru, stamp
from tests.simulators.medium import MS, SEGMENT, Behaviour, Conversation, Host, Medium, S, Step
from tests.simulators.services import about, browse, lookup, time_sync

# Options of a SYN, as these systems order them.
WINDOWS = mss(SEGMENT) + b"\x01\x03\x03\x08" + SACK_PERMITTED
WINDOWS_XP = mss(SEGMENT) + SACK_PERMITTED
LINUX = mss(SEGMENT) + b"\x04\x02" + timestamps(9000, 0)[2:] + window_scale(7)
APPLE = mss(SEGMENT) + window_scale(6) + timestamps(9000, 0) + b"\x04\x02\0\0"
# Option 55 of a request, as these systems order it.
WINDOWS_ASKS = bytes((1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252))
APPLE_ASKS = bytes((1, 121, 3, 6, 15, 108, 114, 119, 252))
ANDROID_ASKS = bytes((1, 3, 6, 15, 26, 28, 51, 58, 59, 43))
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
POINT_OF_CARE_PORT = 4545  # none is assigned to POCT1-A: a site chooses
TERMINAL_PORT, TABULAR_DATA_PORT, CITRIX_PORT, CAST_PORT, TUYA_PORT = 4001, 1433, 1494, 8009, 6667


def quiet(ward: Medium, host: Host, vendor_class: str = "") -> Behaviour:
    """Of which nothing is public but its maker: an address, a name, the time."""
    yield from services.lease(ward, host, vendor_class, fresh=host.rng.random() < 0.5)
    ward.add(time_sync(ward, host, 256 * S), ward.now_ns + S)
    while True:
        yield from lookup(ward, host, "portal")
        yield about(host, 180 * S)


def reports(ward: Medium, host: Host, application: str, period_ns: int = 120 * S) -> Behaviour:
    """Results by HL7: a session to the engine for each."""
    yield from services.lease(ward, host, "", fresh=False)
    ward.add(time_sync(ward, host, 300 * S), ward.now_ns + S)
    number = 0
    while True:
        number += 1
        yield from lookup(ward, host, "hl7")
        message, answer = oru(ward, host, application, CANARIES[number % 2], number)
        steps = [Step(5 * MS, True, message), Step(9 * MS, False, answer)]
        yield from ward.session(host, ward.hosts[services.ENGINE], hl7.MLLP_PORT, steps)
        yield about(host, period_ns)


def point_of_care(ward: Medium, host: Host, maker: str, model: str, period_ns: int = 100 * S) -> Behaviour:
    """A blood-gas or glucose analyser: a session of POCT1-A with the data manager for each result (CLSI POCT1-A2)."""
    yield from services.lease(ward, host, "", fresh=False)
    ward.add(time_sync(ward, host, 300 * S), ward.now_ns + S)
    section, number = poct1a.device("ST-OTTILIE^WARD3", maker, model, f"{host.rng.randrange(10**8):08d}"), 0
    while True:
        yield from lookup(ward, host, "hl7")
        when, (patient, _) = f"{stamp(ward)}+0000", CANARIES[number % 2]
        result = poct1a.observation(when, patient, "NURSE-7", f"{90 + number % 40}")
        told = [("HEL.R01", section), ("DST.R01", poct1a.status(when, 1)), ("OBS.R01", result), ("END.R01", "")]
        steps = []
        for name, body in told:
            number += 1
            steps.append(Step(8 * MS, True, poct1a.message(name, number, when, body)))
            steps.append(Step(4 * MS, False, poct1a.acknowledgement(9000 + number, number, when)))
        steps.insert(
            4, Step(4 * MS, False, poct1a.message("REQ.R01", 8000, when, '<REQ><REQ.request_cd V="ROBS"/></REQ>'))
        )
        yield from ward.session(host, ward.hosts[services.ENGINE], POINT_OF_CARE_PORT, steps)
        yield about(host, period_ns)


def tls_client(ward: Medium, host: Host, label: str, port: int = 443) -> Behaviour:
    """One session to its server that stays open, a record every ten seconds."""
    yield from services.lease(ward, host, "", fresh=False)
    ward.add(time_sync(ward, host, 256 * S), ward.now_ns + S)
    yield from lookup(ward, host, label)
    server = ward.hosts[services.SERVER_NAMES[label]]
    yield from ward.resolve(host, server.ip)
    talk = Conversation(ward, host, server, port)
    yield from talk.open()
    yield from services.tls_handshake(talk, f"{label}.{services.DOMAIN}")
    while True:
        yield about(host, 10 * S)
        yield from talk.say(from_client=True, data=tls.application(host.rng.randbytes(90)))


def windows(ward: Medium, host: Host) -> Behaviour:
    """What every Windows machine of a domain does: lease, probe of the network (MS-NCSI), Kerberos, LDAP, time."""
    yield from services.lease(ward, host, "MSFT 5.0", fresh=host.rng.random() < 0.5, asks=WINDOWS_ASKS)
    ward.add(time_sync(ward, host, 900 * S), ward.now_ns + S)
    yield from _ask_name(ward, host, "www.msftconnecttest.com")
    probe = http.request("GET", "/connecttest.txt", {"Host": "www.msftconnecttest.com", "User-Agent": "Microsoft NCSI"})
    answer = http.response(200, "OK", {"Content-Type": "text/plain"}, b"Microsoft Connect Test")
    yield from ward.session(host, ward.hosts[services.PORTAL], 80, [Step(MS, True, probe), Step(9 * MS, False, answer)])
    server = ward.hosts[services.CORE]
    for port in (88, 389):
        steps = [Step(MS, True, host.rng.randbytes(180)), Step(3 * MS, False, server.rng.randbytes(240))]
        yield from ward.session(host, server, port, steps)


def office_workstation(ward: Medium, host: Host) -> Behaviour:
    """Mail, files, the intranet in clear; a remote desktop now and then."""
    yield from windows(ward, host)
    while True:
        ask = http.request("GET", "/news", {"Host": f"intranet.{services.DOMAIN}", "User-Agent": BROWSER})
        tell = http.response(200, "OK", {"Server": "Microsoft-IIS/10.0", "Content-Type": "text/html"}, b"<p>news</p>")
        yield from ward.session(host, ward.hosts[services.PORTAL], 80, [Step(MS, True, ask), Step(9 * MS, False, tell)])
        yield about(host, 60 * S, 50)
        yield from browse(ward, host, "portal", 2)
        yield about(host, 60 * S, 50)


def clinical_workstation(ward: Medium, host: Host) -> Behaviour:
    """A domain's Windows machine on which the record is open."""
    yield from windows(ward, host)
    while True:
        yield from browse(ward, host, "ehr", host.rng.randrange(2, 7))
        yield about(host, 30 * S, 60)


def thin_client(ward: Medium, host: Host) -> Behaviour:
    """One ICA session."""
    yield from services.lease(ward, host, "wyse-1000", fresh=False)
    yield from lookup(ward, host, "portal")
    server = ward.hosts[services.PORTAL]
    yield from ward.resolve(host, server.ip)
    talk = Conversation(ward, host, server, CITRIX_PORT)
    yield from talk.open()
    while True:
        yield from talk.say(from_client=False, data=b"\x7f\x7fICA\0" + server.rng.randbytes(200))
        yield about(host, 5 * S, 50)
        yield from talk.say(from_client=True, data=host.rng.randbytes(48))


def apple(ward: Medium, host: Host) -> Behaviour:
    """A hand-held of Apple's: its request, its own questions by multicast DNS, some pages."""
    yield from services.lease(ward, host, "", fresh=True, asks=APPLE_ASKS)
    while True:
        question = dns.question(0, "_companion-link._tcp.local", dns.PTR, multicast=True)
        ward.datagram(host, "224.0.0.251", (dns.MDNS_PORT, dns.MDNS_PORT), question)
        answer = dns.announcement([dns.a(f"{host.name}.local", host.ip, flush=True)])
        ward.datagram(host, "224.0.0.251", (dns.MDNS_PORT, dns.MDNS_PORT), answer)
        yield from browse(ward, host, "portal", 2)
        yield about(host, 60 * S, 40)


def android(ward: Medium, host: Host, version: int = 14) -> Behaviour:
    """A telephone of Android: its request and its probe of the network."""
    yield from services.lease(ward, host, f"android-dhcp-{version}", fresh=True, asks=ANDROID_ASKS)
    while True:
        yield from _ask_name(ward, host, "connectivitycheck.gstatic.com")
        yield from browse(ward, host, "portal", 2)
        yield about(host, 60 * S, 40)


def desk_phone(ward: Medium, host: Host, vendor_class: str, agent: str) -> Behaviour:
    """Registers once a minute."""
    yield from services.lease(ward, host, vendor_class, fresh=False)
    server, number = ward.hosts[services.CORE], 0
    port = (bedside.SIP_PORT, bedside.SIP_PORT)
    while True:
        number += 1
        yield from ward.resolve(host, services.CORE)
        register = bedside.sip_register(host.name, services.DOMAIN, host.ip, number)
        ward.datagram(host, services.CORE, port, register.replace(b"Ascom d83", agent.encode()))
        yield 4 * MS
        ward.datagram(server, host.ip, port, bedside.sip_ok(host.name, services.DOMAIN, host.ip, number))
        yield about(host, 60 * S, 5)


def announcer(ward: Medium, host: Host, service: str, texts: list[str], vendor_class: str = "") -> Behaviour:
    """Offers a service by multicast DNS."""
    yield from services.lease(ward, host, vendor_class, fresh=False)
    instance, target = f"{host.name}.{service}.local", f"{host.name}.local"
    records = [dns.ptr(f"{service}.local", instance), dns.srv(instance, target, 80), dns.txt(instance, texts)]
    records.append(dns.a(target, host.ip, flush=True))
    while True:
        ward.datagram(host, "224.0.0.251", (dns.MDNS_PORT, dns.MDNS_PORT), dns.announcement(records))
        yield about(host, 60 * S)


def cast(ward: Medium, phone: Host, target: Host) -> Behaviour:
    """A telephone plays something: one TLS session to the cast port."""
    yield 40 * S
    yield from ward.resolve(phone, target.ip)
    talk = Conversation(ward, phone, target, CAST_PORT)
    yield from talk.open()
    yield from services.tls_handshake(talk, "")
    while True:
        yield about(phone, 20 * S)
        yield from talk.say(from_client=True, data=tls.application(phone.rng.randbytes(110)))


def smart_thing(ward: Medium, host: Host, vendor_class: str, name: str, agent: str = "") -> Behaviour:
    """Asks for its maker's cloud; a scale says there who it is."""
    yield from services.lease(ward, host, vendor_class, fresh=True)
    while True:
        yield from _ask_name(ward, host, name)
        if agent:
            ask = http.request("POST", "/cgi-bin/session", {"Host": name, "User-Agent": agent}, b"action=new")
            steps = [Step(MS, True, ask), Step(9 * MS, False, http.response(200, "OK", {}, b"{}"))]
            yield from ward.session(host, ward.hosts[services.PORTAL], 80, steps)
        yield about(host, 120 * S)


def tuya(ward: Medium, host: Host) -> Behaviour:
    """Broadcasts itself on UDP 6667."""
    yield from services.lease(ward, host, "", fresh=True)
    while True:
        body = b"\0\0\x55\xaa" + host.rng.randbytes(120)
        ward.datagram(host, f"{ward.prefix}255", (49154, TUYA_PORT), body)
        yield about(host, 10 * S)


def terminal_server(ward: Medium, host: Host, reader: Host) -> Behaviour:
    """A serial line as a raw TCP session that the reader opens."""
    yield from services.lease(ward, host, "", fresh=False)
    yield from ward.resolve(reader, host.ip)
    talk = Conversation(ward, reader, host, TERMINAL_PORT)
    yield from talk.open()
    while True:
        yield about(host, 5 * S)
        yield from talk.say(from_client=False, data=b"\x01" + host.rng.randbytes(40).hex().encode() + b"\r")


def worklist(ward: Medium, host: Host, title: str, implementation: tuple[str, str]) -> Behaviour:
    """A modality that asks the PACS what is to be done (PS3.4 annex K), every two minutes."""
    sop = "1.2.840.10008.5.1.4.31"
    while True:
        yield about(host, 120 * S)
        titles = ("OTTIPACS", title)
        steps = [Step(MS, True, dicom.associate_request(titles, [sop], implementation))]
        steps.append(Step(4 * MS, False, dicom.associate_accept(titles, 1, ("1.2.276.0.7230010.3.0.3.6.7", "OTTI"))))
        steps += [Step(40 * MS, True, dicom.RELEASE_REQUEST), Step(MS, False, dicom.RELEASE_RESPONSE)]
        yield from ward.session(host, ward.hosts[services.PACS], dicom.DICOM_PORT, steps)


def _ask_name(ward: Medium, host: Host, name: str) -> Behaviour:
    """A DNS question for a public name, answered with the portal's address."""
    number = host.rng.randrange(1 << 16)
    answer = dns.answer(number, name, [dns.a(name, services.PORTAL)])
    server = ward.hosts[services.CORE]
    yield from ward.exchange(host, server, dns.DNS_PORT, dns.question(number, name), answer)
