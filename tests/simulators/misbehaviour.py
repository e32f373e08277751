"""What goes wrong on the ward that `ward_life.py` lives: one scripted misbehaviour for each way that a tap can see.

Each is a table row: what happens, which finding must tell it of which device, and until when. A scene is made of the
same forged frames as the ward's own work, put between them; nothing is sent anywhere.
"""

from tests.forge import dicom
from tests.simulators import (
    clinical,
    habits,
    impostors,
    intrusions,
    misdeeds,
    services,
    strangers,
    tap_faults,
)
from tests.simulators.medium import Step
from tests.simulators.reel import ALWAYS
from tests.simulators.stage import BUSY, ODD_SERVER, Misbehaviour, Stage, tries


def ventilator_falls_silent(stage: Stage) -> None:
    """A ventilator sends nothing any more."""
    one = stage.one("ventilator")
    stage.life.reel.dark.append((one.mac, (stage.at_s, ALWAYS[1])))
    stage.mac, stage.evidence_s = one.mac, 60  # absence is seen by the interval


def monitor_killed(stage: Stage) -> None:
    """A laptop sends a monitor one odd packet, and the monitor is silent."""
    laptop, bed = stage.intruder("laptop", "3c:52:82:01:02:0c", 99), stage.one("patient-monitor", 5)
    stage.plays(tries(laptop, [(bed, 4000)], refused=True), 30)
    stage.life.reel.dark.append((bed.mac, (stage.at_s + 31, ALWAYS[1])))
    stage.mac, stage.evidence_s = bed.mac, 31 + 120


def pump_restarts(stage: Stage) -> None:
    """A pump starts four times within ten minutes."""
    pump = stage.one("infusion-pump", 4)
    for start in range(4):
        stage.plays(lambda ward: services.lease(ward, pump, "ALARIS-PCU-8015", fresh=True), start * 150.0)
    stage.mac, stage.evidence_s = pump.mac, 450


def telnet_offered(stage: Stage) -> None:
    """A monitor answers Telnet."""
    bed = stage.one("patient-monitor", 6)
    stage.mac, stage.evidence_s = bed.mac, stage.session(stage.one("clinical-workstation"), bed, 23)


def camera_in_a_costume(stage: Stage) -> None:
    """A camera takes pictures by DICOM, as a PACS does."""
    camera, scanner = stage.one("ip-camera", 1), stage.one("imaging-modality")
    titles = ("OTTIPACS", "CT_OTTI_1")
    steps = [
        Step(BUSY, True, dicom.associate_request(titles, [dicom.CT_IMAGE], clinical.GE)),
        Step(BUSY, False, dicom.associate_accept(titles, 1, clinical.ARCHIVE)),
        Step(BUSY, True, dicom.command(dicom.STORE_RQ, dicom.CT_IMAGE, 1, data=True, instance="1.2.3")),
        Step(BUSY, True, dicom.data(bytes(4000))),
        Step(BUSY, False, dicom.command(dicom.STORE_RSP, dicom.CT_IMAGE, 1, data=False)),
    ]
    stage.mac, stage.evidence_s = camera.mac, stage.session(scanner, camera, dicom.DICOM_PORT, steps)


def firmware_pushed(stage: Stage) -> None:
    """A pump is sent half a mebioctet by another server than its own."""
    pump, server = stage.one("infusion-pump", 5), stage.far(ODD_SERVER)
    steps = [Step(BUSY, True, bytes(17_520)) for _ in range(30)]
    stage.mac, stage.evidence_s = pump.mac, stage.session(server, pump, 1500, steps)


def server_changed(stage: Stage) -> None:
    """A pump reports to another server than before."""
    pump, server = stage.one("infusion-pump", 6), stage.far(ODD_SERVER)
    stage.mac, stage.evidence_s = pump.mac, stage.session(pump, server, 3613)


def stranger(stage: Stage) -> None:
    """A laptop is plugged in."""
    stage.mac, stage.evidence_s = stage.intruder("laptop", "3c:52:82:01:02:0f", 99).mac, 3


def server_strays(stage: Stage) -> None:
    """A server talks to another in a way that no server here ever did."""
    core = stage.life.ward.hosts[services.CORE]
    stage.mac, stage.evidence_s = core.mac, stage.session(core, stage.far(ODD_SERVER), 9999)


MISBEHAVIOURS = (
    Misbehaviour("pump talks to a public address", "internet-contact", misdeeds.pump_calls_out),
    Misbehaviour("workstation goes to the Internet past the proxy", "internet-contact", misdeeds.cart_on_the_web),
    Misbehaviour("modality looks for file shares (WannaCry)", "smb-spread", misdeeds.worm),
    Misbehaviour("camera looks for Telnet (Mirai)", "telnet-spread", misdeeds.telnet_worm),
    Misbehaviour("pump tries a web port on many hosts", "host-sweep", misdeeds.pump_searches),
    Misbehaviour("laptop tries a monitor's ports", "port-scan", misdeeds.ports_tried),
    Misbehaviour("laptop asks by ARP for the whole ward", "arp-sweep", misdeeds.ward_asked_for),
    Misbehaviour("Telnet to a pump", "contract-breach", misdeeds.telnet_to_pump),
    Misbehaviour("FTP to a pump", "contract-breach", misdeeds.ftp_to_pump),
    Misbehaviour("file share on a pump", "inbound-to-clinical", misdeeds.share_on_a_pump),
    Misbehaviour("monitor sends to a line printer daemon", "contract-breach", misdeeds.strip_sent_away),
    Misbehaviour("monitor mounts NFS inside", "contract-breach", misdeeds.firmware_mounted),
    Misbehaviour("pump's web page opened from another subnet", "contract-breach", misdeeds.page_from_a_pump),
    Misbehaviour(
        "monitor contacts the address in Contec firmware", "known-bad-destination", misdeeds.hard_coded_address
    ),
    Misbehaviour("workstation opens a session on a pump", "inbound-to-clinical", misdeeds.pump_accepts),
    Misbehaviour("VNC to a modality", "remote-access-tool", misdeeds.screen_taken),
    Misbehaviour("RDP from workstation to workstation", "remote-access-tool", misdeeds.desk_to_desk),
    Misbehaviour("modality mines", "mining", misdeeds.coins),
    Misbehaviour("monitor calls an odd server every 20 s", "beacon", misdeeds.orders_awaited, 120, 420),
    Misbehaviour("monitor sends 6 MiB a minute to a new server", "exfiltration", misdeeds.carried_away, 120, 480),
    Misbehaviour(
        "monitor sends 6 MiB a minute by HTTPS to a new server", "exfiltration", misdeeds.carried_by_https, 120, 480
    ),
    Misbehaviour("pump sends 6 MiB a minute to its own server", "exfiltration", misdeeds.carried_to_its_own, 120, 480),
    Misbehaviour("echo messages that carry data", "icmp-tunnel", misdeeds.pings_that_carry),
    Misbehaviour("datagrams thrown at a monitor", "flood", misdeeds.datagrams_thrown),
    Misbehaviour("half-open sessions thrown at a modality", "flood", misdeeds.sessions_thrown),
    Misbehaviour("passwords tried on the PACS by SSH", "credential-guessing", misdeeds.passwords_of_the_archive),
    Misbehaviour("passwords tried on a modality by RDP", "credential-guessing", misdeeds.passwords_of_a_scanner),
    Misbehaviour("board claims the address of the PACS", "arp-binding-changed", misdeeds.between_archive_and_ward),
    Misbehaviour("newcomer claims the printer's address", "duplicate-address", misdeeds.two_of_one_address),
    Misbehaviour("board gives out addresses and names itself", "rogue-dhcp", misdeeds.other_addresses_given),
    Misbehaviour("ventilator falls silent", "heartbeat-lost", ventilator_falls_silent),
    Misbehaviour("monitor is silent after an odd packet", "crash-after-contact", monitor_killed, 60, 420),
    Misbehaviour("pump starts four times in ten minutes", "reboot-loop", pump_restarts, 60, 660),
    Misbehaviour("monitor answers Telnet", "default-service", telnet_offered),
    Misbehaviour("voice assistant on the ward", "voice-assistant", habits.listener),
    Misbehaviour("media player on the ward", "consumer-device", habits.screen),
    Misbehaviour("camera takes pictures by DICOM", "role-contradiction", camera_in_a_costume),
    Misbehaviour("firmware pushed from an odd server", "change-event", firmware_pushed),
    Misbehaviour("pump reports to another server", "change-event", server_changed),
    Misbehaviour("server shares by SMB1", "smb1-in-use", habits.old_dialect),
    Misbehaviour("workstation sends a picture in clear", "cleartext-clinical", habits.pictures_in_clear),
    Misbehaviour("laptop plugged in", "new-device", stranger),
    Misbehaviour("server talks to an odd server", "new-edge", server_strays),
    Misbehaviour("board advertises itself as a router", "rogue-router", impostors.second_router),
    Misbehaviour("board claims the router's IPv6 address", "neighbour-changed", impostors.routers_neighbour),
    Misbehaviour("board passes on what goes to the PACS", "on-path-suspected", impostors.between_scanner_and_archive),
    Misbehaviour("pump asks a board for names", "rogue-dns", impostors.resolver_of_its_own),
    Misbehaviour("laptop asks for sixty addresses", "dhcp-starvation", impostors.addresses_used_up),
    Misbehaviour("laptop speaks spanning tree", "rogue-bridge", impostors.switch_brought_along),
    Misbehaviour("urgent data of no length to a monitor (URGENT/11)", "exploit-header", intrusions.urgent_data),
    Misbehaviour("EternalBlue's transaction to a server", "smb-exploit", intrusions.eternal_blue),
    Misbehaviour("pump hides data in names", "dns-tunnel", intrusions.data_in_names),
    Misbehaviour("modality asks for drawn domains", "dga", intrusions.operator_looked_for),
    Misbehaviour("camera sends data to port 53", "covert-channel", intrusions.not_a_question, 60, 420),
    Misbehaviour("laptop calls the PACS under the scanner's title", "dicom-unknown-peer", strangers.borrowed_title),
    Misbehaviour("laptop tries titles with the PACS", "dicom-probe", strangers.titles_tried),
    Misbehaviour("monitor sends its results to a laptop", "hl7-second-receiver", strangers.results_sent_aside),
    Misbehaviour("laptop sends results in the central's name", "hl7-new-sender", strangers.results_made_up),
    Misbehaviour("workstation logs in by HTTP Basic", "cleartext-credentials", habits.password_in_clear),
    Misbehaviour("camera shows its page in clear", "cleartext-web", habits.page_in_clear),
    Misbehaviour("Windows 98 asks for an address", "legacy-os", habits.old_system),
    Misbehaviour("printer agrees to TLS 1.0", "legacy-tls", habits.old_tls),
    Misbehaviour("pump with known flaws is put to use", "advisory-match", habits.known_flaws),
    Misbehaviour("social media on a workstation", "policy-site", habits.friends_on_the_cart),
    Misbehaviour("tap loses two frames in a hundred", "capture-loss", tap_faults.frames_lost),
    Misbehaviour("tap's cable is pulled", "tap-blind", tap_faults.cable_pulled),
    Misbehaviour("something sends through the tap", "tap-transmitted", tap_faults.tap_speaks),
    Misbehaviour("mirror port gives one direction only", "one-sided", tap_faults.one_way_mirror),
    Misbehaviour("tap's clock is set two hours back", "clock-unsynced", tap_faults.clock_set),
    Misbehaviour("more contacts than the tap's tables hold", "table-pressure", tap_faults.tables_full),
)
