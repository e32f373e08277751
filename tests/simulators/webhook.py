"""A webhook receiver: a real HTTP server in a thread that keeps what it was given."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class WebhookReceiver:
    """Listens inside `with`. `answer` is the status it gives; `posts` what it took with 2xx, `asked` counts all."""

    def __init__(self, port: int = 0) -> None:
        self.answer = 204
        self.posts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked += 1
                if 200 <= receiver.answer < 300:
                    receiver.posts.append(json.loads(octets))
                    receiver.headers.append(dict(self.headers))
                self.send_response(receiver.answer)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?ward=3"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop and leave nothing open."""
        self._server.shutdown()
        self._thread.join(60)
        self._server.server_close()
