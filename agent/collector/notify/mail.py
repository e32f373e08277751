"""An e-mail through the site's own relay: plain text, made to be read on a telephone."""

import smtplib
import ssl
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from email.policy import SMTP

from agent.collector.notify.records import Item, Message
from agent.errors import InputError, LinkError

SUBJECT_MAX = 140


class Mail:
    """One relay, one or more recipients. `starttls` refuses to send in clear."""

    name = "mail"

    def __init__(
        self, relay: str, sender: str, recipients: Sequence[str], timeout_s: float, starttls: bool = False
    ) -> None:
        host, _, port = relay.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise InputError("not host:port", where=relay)
        for address in (sender, *recipients):
            _check_address(address)
        if not recipients:
            raise InputError("mail needs a recipient", todo="add --notify-to ADDRESS")
        self._host, self._port = host.strip("[]"), int(port)
        self._sender, self._recipients = sender, tuple(recipients)
        self._timeout_s, self._starttls = timeout_s, starttls

    def deliver(self, message: Message) -> None:
        """Hand it to the relay; LinkError when it does not take it for every recipient."""
        try:
            with smtplib.SMTP(self._host, self._port, timeout=self._timeout_s) as relay:
                if self._starttls:
                    relay.starttls(context=ssl.create_default_context())
                refused = relay.send_message(self._mail(message), self._sender, self._recipients)
        except (OSError, smtplib.SMTPException) as error:
            raise LinkError(str(error) or type(error).__name__, where=f"mail relay {self._host}") from error
        if refused:
            raise LinkError(f"refused for {', '.join(sorted(refused))}", where=f"mail relay {self._host}")

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = subject(message)
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._recipients)
        mail["Message-ID"] = f"<{message.key}@wardtap.invalid>"  # the same when it is sent again: mail servers fold it
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
        mail.set_content("\n\n".join(_paragraphs(message)) + "\n")
        return mail


def subject(message: Message) -> str:
    """One line; `visible` has already taken every line break out of what came from the wire."""
    if message.digest:
        return f"wardtap: {len(message.items) + message.left_out} findings"
    item = message.items[0]
    line = f"wardtap {item.severity}: {item.sentence}"
    return line if len(line) <= SUBJECT_MAX else line[: SUBJECT_MAX - 1] + "…"


def _paragraphs(message: Message) -> Iterable[str]:
    for item in message.items:
        yield _paragraph(item)
    if message.left_out:
        yield f"And {message.left_out} more: see the collector's page."
    yield "This is what a passive tap saw. It does not speak on the network and holds no patient data."


def _paragraph(item: Item) -> str:
    lines = [
        f"[{item.severity}] {item.sentence}",
        f"Finding: {item.id}, seen {item.count} times, {item.first} to {item.last}",
        f"Device: {item.mac or 'the tap itself'} ({item.role}), site {item.site}",
        *(f"  {name}: {value}" for name, value in item.evidence),
        f"Next step: {item.step}",
    ]
    return "\n".join(lines)


def _check_address(address: str) -> None:
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isascii() or any(character in address for character in " \r\n<>,;\"'"):
        raise InputError("not a mail address", where=repr(address))
