"""A mail relay of our own: speaks just enough SMTP (RFC 5321) on a real socket and keeps what it was given."""

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Self


@dataclass
class Letter:
    """One mail as it was taken."""

    sender: str
    recipients: list[str]
    octets: bytes

    @property
    def mail(self) -> EmailMessage:
        """Parsed."""
        return message_from_bytes(self.octets, policy=default)


@dataclass
class _Envelope:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class MailRelay:
    """Listens inside `with`. `refuse` answers 451 to DATA; `refuse_recipient` answers 550 to that address."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.letters: list[Letter] = []
        self.refuse = False
        self.refuse_recipient = ""
        self._open: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop and leave nothing open."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()
        for writer in self._open:  # to a client that has not said goodbye yet
            writer.close()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        with contextlib.suppress(OSError):
            await self._letters(reader, writer)
        self._open.remove(writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _letters(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        envelope = _Envelope()
        writer.write(b"220 relay of a test\r\n")
        while line := await reader.readline():
            words = line.decode("latin-1").strip()
            verb = words[:4].upper()
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                octets = await self._data(reader)
                writer.write(self._keep(envelope, octets))
                envelope = _Envelope()
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(self._answer(verb, words, envelope))
            await writer.drain()

    def _answer(self, verb: str, words: str, envelope: _Envelope) -> bytes:
        path = words.partition("<")[2].partition(">")[0]
        if verb == "MAIL":
            envelope.sender = path
        elif verb == "RCPT":
            if path == self.refuse_recipient:
                return b"550 nobody here\r\n"
            envelope.recipients.append(path)
        elif verb not in {"EHLO", "HELO", "RSET", "NOOP"}:
            return b"502 not known here\r\n"
        return b"250 fine\r\n"

    async def _data(self, reader: asyncio.StreamReader) -> bytes:
        lines = []
        while (line := await reader.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)  # RFC 5321, 4.5.2
        return b"".join(lines)

    def _keep(self, envelope: _Envelope, octets: bytes) -> bytes:
        if self.refuse:
            return b"451 try later\r\n"
        self.letters.append(Letter(envelope.sender, envelope.recipients, octets))
        return b"250 taken\r\n"
