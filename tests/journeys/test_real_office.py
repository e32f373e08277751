"""Real programs of a building and an office on a cable: Samba in three dialects, Avahi, BACnet, MQTT.

Each test skips with the reason where its programs are absent: samba and smbclient, avahi-daemon, mosquitto, the extra
[peers] (bacpypes3).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.told import Told
from tests.simulators.broker import mosquitto_path
from tests.simulators.bursts import HASHES
from tests.simulators.peers import Segment, needs, needs_modules, segment, write

pytestmark = [HASHES, pytest.mark.root]
CLIENT, SERVER = ("00:50:56:0c:21:7e", "10.41.9.31"), ("00:50:56:77:20:11", "10.41.9.10")  # cards that say nothing
PATIENT = "QUILLFEATHER"
SHARE = """
[global]
netbios name = WARDFILES
workgroup = HOSPITAL
interfaces = end
bind interfaces only = yes
disable netbios = yes
smb ports = 445
server min protocol = NT1
map to guest = bad user
guest account = root
private dir = {folder}
lock directory = {folder}
state directory = {folder}
cache directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/rpc
log file = {folder}/log
load printers = no
disable spoolss = yes
[scans]
path = {folder}/share
guest ok = yes
guest only = yes
read only = no
"""
AVAHI = """
[server]
host-name=theatre-printer
use-ipv4=yes
use-ipv6=no
enable-dbus=no
allow-interfaces=end
[publish]
publish-workstation=yes
"""
PRINTER = """<?xml version="1.0" standalone='no'?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>QUILLFEATHER ROOM</name><service><type>_ipp._tcp</type><port>631</port>
<txt-record>rp=printers/QUILLFEATHER</txt-record></service></service-group>
"""
# Its own /run and folder of services: another Avahi of this machine is not disturbed.
APART = (
    'mount -t tmpfs none /run && mkdir /run/avahi-daemon && mount --bind "$1" /etc/avahi/services && shift && exec "$@"'
)
PUBLISH = """
import sys, paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="pump-4711", protocol=int(sys.argv[2]))
client.username_pw_set("QUILLFEATHER", "WT7740193V")
client.on_connect = lambda *_: client.publish("ward/QUILLFEATHER", "5.4", qos=1)
client.on_publish = lambda *_: client.disconnect()
client.connect(sys.argv[1])
client.loop_forever()
"""


@pytest.fixture
def building() -> Iterator[Segment]:
    """Two machines."""
    with segment(CLIENT, SERVER) as made:
        yield made


@pytest.mark.parametrize(("most", "dialect"), [("NT1", "1"), ("SMB2_10", "2.1"), ("SMB3_11", "3.1.1")])
def test_samba_tells_its_dialect(building: Segment, tmp_path: Path, most: str, dialect: str) -> None:
    needs("smbd", "smbclient")
    (tmp_path / "share").mkdir()
    config = write(tmp_path / "smb.conf", SHARE.format(folder=tmp_path))
    building.start(building.server, "smbd", "--foreground", "--no-process-group", f"--configfile={config}")
    building.server.listens(445)
    report = write(tmp_path / "report", "x")
    asks = ("-s", config, "-N", "-m", most, "--option=client min protocol=NT1", f"//{SERVER[1]}/scans")
    building.client.run("smbclient", *asks, "-c", f"put {report} {PATIENT}.pdf; ls")
    assert (tmp_path / "share" / f"{PATIENT}.pdf").is_file(), "the file was laid down"
    told = Told(building)
    assert dialect in told.values(SERVER, "smb.dialect")
    assert ("smb1-in-use" in told.ids()) is (most == "NT1")
    assert told.values(SERVER, "smb.host") == {"WARDFILES"}
    assert (told.identity(SERVER).os == "Unix (Samba)") is (most == "NT1"), "only the old dialect names the program"
    assert told.identity(SERVER).role in {"hospital-server", "office-workstation", "unknown"}
    assert PATIENT not in told.text()


def test_avahi_announces_a_printer(building: Segment, tmp_path: Path) -> None:
    needs("avahi-daemon", "unshare", "mount")
    if building.server.run("unshare", "--mount", "true", check=False).returncode:
        pytest.skip("no mount namespace here")
    services = tmp_path / "services"
    services.mkdir()
    write(services / "printer.service", PRINTER, mode=0o644)
    config = write(tmp_path / "avahi.conf", AVAHI)
    daemon = ("avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title", "-f", config)
    building.start(building.server, "unshare", "--mount", "sh", "-c", APART, "apart", str(services), *daemon)
    building.hears(b"\x09_services\x07_dns-sd\x04_udp")  # only the announcement says it
    told = Told(building)
    printer = told.identity(SERVER)
    assert told.values(SERVER, "mdns.host") == {"theatre-printer"}
    assert "_ipp._tcp" in told.values(SERVER, "mdns.service")
    assert printer.role in {"printer", "unknown"}
    assert PATIENT not in told.text()


def test_bacpypes3_says_who_it_is(building: Segment) -> None:
    needs_modules("bacpypes3")
    program = (sys.executable, "-m", "tests.simulators.peer_bacnet")
    building.start(building.server, *program, "device", SERVER[1], CLIENT[1])
    building.server.listens(47808, "u")
    building.client.run(*program, "asker", CLIENT[1], SERVER[1])
    told = Told(building)
    assert told.identity(SERVER).role == "building-control"
    assert told.values(SERVER, "bacnet.device") == {"441207"}
    assert told.values(SERVER, "bacnet.vendor") == {"15"}
    assert {"who-is", "read-property"} <= told.values(CLIENT, "bacnet.asks")
    assert PATIENT not in told.text(), "nor the object's name"


@pytest.mark.parametrize(("number", "version"), [("4", "3.1.1"), ("5", "5")])
def test_mqtt_tells_a_version_and_that_a_password_was_sent(
    building: Segment, tmp_path: Path, number: str, version: str
) -> None:
    program = mosquitto_path()
    if program is None:
        pytest.skip("not installed: mosquitto")
    config = write(tmp_path / "mosquitto.conf", f"user root\nallow_anonymous true\nlistener 1883 {SERVER[1]}\n")
    building.start(building.server, program, "-c", config)
    building.server.listens(1883)
    building.client.run(sys.executable, "-c", PUBLISH, SERVER[1], number)
    told = Told(building)
    assert told.values(CLIENT, "mqtt.version") == {version}
    assert told.values(CLIENT, "mqtt.client") == {"word-and-number"}
    assert told.values(CLIENT, "credentials.clear") == {"mqtt"}
    assert told.identity(CLIENT).role in {"iot-other", "unknown"}
    assert not [word for word in (PATIENT, "WT7740193V", "pump-4711") if word in told.text()]
