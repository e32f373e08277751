"""What a responder's port is for, where a flow's content did not say (IANA service names; mission facts marked V)."""

from agent.packets.records import Application as App

TCP, UDP, ICMP, IGMP, ICMPV6 = 6, 17, 1, 2, 58
BY_PORT: dict[tuple[int, int], App] = {
    (TCP, 20): App.FTP,
    (TCP, 21): App.FTP,
    (TCP, 22): App.SSH,
    (TCP, 23): App.TELNET,
    (TCP, 25): App.SMTP,
    (TCP, 53): App.DNS,
    (TCP, 80): App.HTTP,
    (TCP, 88): App.KERBEROS,
    (UDP, 88): App.KERBEROS,
    (TCP, 104): App.DICOM,
    (TCP, 110): App.POP3,
    (TCP, 111): App.RPC,
    (UDP, 111): App.RPC,
    (TCP, 143): App.IMAP,
    (TCP, 389): App.LDAP,
    (UDP, 389): App.LDAP,
    (TCP, 443): App.TLS,
    (TCP, 445): App.SMB2,
    (TCP, 502): App.MODBUS,
    (TCP, 515): App.LPD,
    (TCP, 554): App.RTSP,
    (TCP, 587): App.SMTP,
    (TCP, 631): App.IPP,
    (TCP, 636): App.TLS,
    (TCP, 1883): App.MQTT,
    (TCP, 2049): App.NFS,
    (TCP, 2575): App.HL7,
    (TCP, 2762): App.TLS,
    (TCP, 3389): App.RDP,
    (TCP, 5900): App.VNC,
    (TCP, 6464): App.IEEE11073,
    (UDP, 6464): App.IEEE11073,
    (TCP, 8883): App.TLS,
    (TCP, 9100): App.JETDIRECT,
    (TCP, 11112): App.DICOM,
    (UDP, 69): App.TFTP,
    (UDP, 514): App.SYSLOG,
}


def application_of(protocol: int, port: int, by_content: int) -> int:
    """The application by content, else by the responder's port, else by the protocol itself."""
    if by_content:
        return by_content
    if protocol in (ICMP, ICMPV6):
        return App.ICMP
    if protocol == IGMP:
        return App.IGMP
    return BY_PORT.get((protocol, port), App.UNKNOWN)
