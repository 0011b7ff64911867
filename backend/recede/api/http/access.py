"""Who may talk to the service, as pure ASGI: host names, origins, body size, safe headers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recede.api.http.errors import (
    Forbidden,
    TooLarge,
    answer,
)
from recede.contract.errors import RecedeError
from recede.settings import Settings

MAX_BODY_BYTES = 1 << 20
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = ("same-origin", "none")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass
class ContentPolicy:
    """The Content-Security-Policy; who mounts pages adds the hashes of their inline scripts."""

    script_hashes: list[str] = field(default_factory=list)

    def header(self) -> str:
        """The policy as it is now: nothing may be loaded from another machine."""
        quoted = [f"'{digest.strip(chr(39))}'" for digest in self.script_hashes]
        return "; ".join(
            [
                "default-src 'self'",
                " ".join(["script-src 'self'", *quoted]),
                "style-src 'self' 'unsafe-inline'",  # plotly and Mantine set styles on elements
                "img-src 'self' data: blob:",
                "font-src 'self' data:",
                "worker-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        )


class Guard:
    """Refuses foreign hosts (DNS rebinding), foreign origins and huge bodies; sets headers."""

    def __init__(self, app: ASGIApp, settings: Settings, policy: ContentPolicy) -> None:
        self._app = app
        self._policy = policy
        self._names = {*_LOOPBACK, settings.host.lower(), *settings.allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            body = _Limited(scope, receive, self._with_headers(scope, send))
            await self._app(scope, body.receive, body.send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})
        else:
            await answer(refusal)(scope, receive, self._with_headers(scope, send))

    def _refusal(self, scope: Scope) -> RecedeError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_known(host):
            return Forbidden(
                f"This service does not answer to the host name {host[:80]!r}.",
                hint="Use its IP address, or add the name to RECEDE_ALLOWED_HOSTS.",
            )
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if changes and _is_foreign(headers, host):
            return Forbidden(
                "A page of another site asked for a change, which is refused.",
                hint="Open the dashboard itself, or call the API without an Origin header.",
            )
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            return TooLarge(f"The body has {length} bytes; at most {MAX_BODY_BYTES} are read.")
        return None

    def _is_known(self, host: str) -> bool:
        """True for our names and for any IP address: those cannot be rebound by DNS."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return name in self._names or _is_address(name)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", self._policy.header())
                headers["X-Content-Type-Options"] = "nosniff"
                headers["X-Frame-Options"] = "DENY"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return with_headers


class _Limited:
    """A request whose body is read up to the limit; beyond it the answer is 413 at once."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._n_bytes = 0
        self._started = False
        self._refused = False

    async def receive(self) -> Message:
        """The next part of the body; one that passes the limit ends like a lost connection."""
        if self._refused:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes <= MAX_BODY_BYTES:
            return message
        self._refused = True
        if not self._started:
            error = TooLarge(f"The body is larger than the {MAX_BODY_BYTES} bytes that are read.")
            await answer(error)(self._scope, self._receive, self._send)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """What the application answers, unless the guard has answered already."""
        if self._refused:
            return
        self._started = self._started or message["type"] == "http.response.start"
        await self._send(message)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_foreign(headers: Headers, host: str) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
