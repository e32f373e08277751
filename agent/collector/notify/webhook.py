"""A JSON POST to one address; the receiver answers 2xx or it is offered again."""

import http.client
import json
import ssl
from dataclasses import asdict
from urllib.parse import urlsplit

from agent import __version__
from agent.collector.notify.records import Message
from agent.errors import InputError, LinkError

ANSWER_MAX = 4096  # of an answer that nobody reads


class Webhook:
    """One address. http for a receiver on this machine, https elsewhere (certificate checked)."""

    name = "webhook"

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise InputError(str(error), where=url) from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError("not an http or https address", where=url)
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s

    def deliver(self, message: Message) -> None:
        """POST it; LinkError unless the answer is 2xx. Redirects are not followed: they could lead anywhere."""
        octets = json.dumps({"version": 1, **asdict(message)}).encode("ascii")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"wardtap-collector/{__version__}",
            "Idempotency-Key": message.key,
        }
        connection = self._connection()
        try:
            connection.request("POST", self._path, octets, headers)
            answer = connection.getresponse()
            answer.read(ANSWER_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise LinkError(str(error) or type(error).__name__, where=f"webhook {self._host}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise LinkError(f"answered {answer.status}", where=f"webhook {self._host}")

    def _connection(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)
