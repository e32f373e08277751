"""That credentials went by in clear (FTP, SMTP, POP3, IMAP, LDAP, telnet): a fact without a value.

The kernel has found the command; what a reader here is given ends with the command's own word, so neither a name nor a
password, nor how long they are, ever reaches Python.
"""

from agent.packets.hints.records import Reader, Signal

COMMAND_OCTETS = 4  # of the command's word, handed over
PROTOCOLS = ("ftp", "smtp", "pop3", "imap", "ldap", "telnet")


def reader(protocol: str) -> Reader:
    """The reader for one protocol: any octets mean that the kernel saw its log-in.

    Of telnet the server's prompt is seen, for the answer comes letter by letter: it speaks of the peer.
    """
    seen = [Signal("credentials.clear", protocol, about_peer=protocol == "telnet")]

    def read(command: bytes) -> list[Signal]:
        return list(seen) if command else []

    return read
