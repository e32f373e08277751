"""The page: routes, headers, templates. Read-only: no form, no cookie, no script; nothing is fetched from elsewhere."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent import __version__
from agent.clock import Clock
from agent.collector import queries, taps
from agent.collector.store.reader import reading
from agent.collector.web.filters import FILTERS
from agent.errors import StateError

HERE = Path(__file__).parent
REFRESH_S = 30
HEADERS = {
    # Nothing but our own sheet and icon; no script at all: a string that slips through a template does nothing.
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
Endpoint = Callable[[Request], Awaitable[Response] | Response]


class SafeHeaders:
    """Every answer carries them, errors and files too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers on the way out."""

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].decode("latin-1").lower() not in HEADERS]
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        await self._app(scope, receive, sealed if scope["type"] == "http" else send)


class Pages:
    """What answers: each page is one consistent view of the store."""

    def __init__(self, state: Path, clock: Clock, trouble: Callable[[], str]) -> None:
        self._state, self._clock, self._trouble = state, clock, trouble
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._templates.filters.update(FILTERS)

    def overview(self, _request: Request) -> Response:
        """Findings, devices, taps, sizes."""
        with reading(self._state) as reader:
            counts = queries.counts(reader)
            view = {
                "findings": queries.findings(reader),
                "severities": counts["findings"],
                "devices": queries.devices(reader),
                "taps": taps.taps(reader),
                "sizes": queries.sizes(reader),
                "counts": counts,
                "refused": sum(counts["refusals"].values()),
                "per_device_minute": queries.octets_per_device_minute(reader),
            }
        return self._page("overview.html", view, refresh_s=REFRESH_S)

    def device(self, request: Request) -> Response:
        """One device."""
        try:
            mac = bytes.fromhex(request.path_params["mac"].replace(":", ""))
        except ValueError as error:
            raise HTTPException(404, "That is no device address.") from error
        with reading(self._state) as reader:
            found = queries.device(reader, request.path_params["site"], mac)
        if found is None:
            raise HTTPException(404, "No tap has reported this device.")
        return self._page("device.html", {"device": found}, refresh_s=REFRESH_S)

    def findings_json(self, _request: Request) -> Response:
        """The findings as the store has them; strings are escaped to ASCII."""
        with reading(self._state) as reader:
            return _json({"findings": queries.findings(reader)})

    def devices_json(self, _request: Request) -> Response:
        """The devices."""
        with reading(self._state) as reader:
            return _json({"devices": queries.devices(reader)})

    def device_json(self, request: Request) -> Response:
        """One device with its peers."""
        try:
            mac = bytes.fromhex(request.path_params["mac"].replace(":", ""))
        except ValueError:
            return _json({"error": "no device address"}, 404)
        with reading(self._state) as reader:
            found = queries.device(reader, request.path_params["site"], mac)
        return _json(found) if found is not None else _json({"error": "not known"}, 404)

    def taps_json(self, _request: Request) -> Response:
        """The taps, the sizes and the books."""
        with reading(self._state) as reader:
            answer = {"taps": taps.taps(reader), "counts": queries.counts(reader), "sizes": queries.sizes(reader)}
            return _json(answer | {"octets_per_device_minute": queries.octets_per_device_minute(reader)})

    def healthz(self, _request: Request) -> Response:
        """200 while the store takes records, 503 with the reason otherwise."""
        trouble = self._trouble()
        return _json({"ok": not trouble, "trouble": trouble}, 503 if trouble else 200)

    def http_error(self, _request: Request, error: Exception) -> Response:
        """A page instead of a bare line."""
        status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
        return self._page("message.html", {"title": f"Nothing here ({status})", "text": text}, status=status)

    def store_error(self, _request: Request, error: Exception) -> Response:
        """The store cannot be read just now."""
        return self._page("message.html", {"title": "The store cannot be read", "text": str(error)}, status=503)

    def _page(self, name: str, view: dict[str, Any], *, status: int = 200, refresh_s: int = 0) -> Response:
        view |= {"now_ns": self._clock.wall_ns(), "version": __version__, "refresh_s": refresh_s}
        return HTMLResponse(self._templates.get_template(name).render(view), status_code=status)


class _Ascii(JSONResponse):
    """JSON whose strings cannot hold a raw control or direction character."""

    def render(self, content: Any) -> bytes:
        import json  # noqa: PLC0415

        return json.dumps(content, ensure_ascii=True).encode("ascii")


def _json(content: Any, status: int = 200) -> Response:
    return _Ascii(content, status_code=status)


def build_app(state: Path, clock: Clock, trouble: Callable[[], str], hosts: Sequence[str]) -> Starlette:
    """The ASGI application; `hosts` are the names it answers to (DNS rebinding reaches loopback pages)."""
    pages = Pages(state, clock, trouble)
    return Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/devices/{site}/{mac}", pages.device),
            Route("/api/findings.json", pages.findings_json),
            Route("/api/devices.json", pages.devices_json),
            Route("/api/devices/{site}/{mac}.json", pages.device_json),
            Route("/api/taps.json", pages.taps_json),
            Route("/healthz", pages.healthz),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={HTTPException: pages.http_error, StateError: pages.store_error},
    )
