"""Addresses: of a webhook, and of the service as a browser sees it."""

from __future__ import annotations

from urllib.parse import urlsplit

from recede.contract.errors import InvalidInput

MAX_URL = 2_000
ORIGIN = r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
"""A scheme, a host and a port if any, as a browser's `location.origin` has it."""
_HINT = "Enter the full URL, for example http://127.0.0.1:9000/recede."


def check_url(given: str, field: str) -> str:
    """The address without spaces around it; raises InvalidInput unless it is http or https."""
    url = given.strip()
    wanted = _wrong(url)
    if wanted is not None:
        raise InvalidInput(
            f"{field} was {url[:200]!r}; it must {wanted}.", field=field, hint=_HINT
        )
    return url


def _wrong(url: str) -> str | None:
    """What it must be and is not."""
    if len(url) > MAX_URL:
        return f"have at most {MAX_URL} characters"
    if not url.isprintable() or " " in url:
        return "have no spaces or control characters"
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return "be an address with a host and a port from 1 to 65535"
    if parts.scheme not in ("http", "https"):
        return "begin with http:// or https://"
    if not parts.hostname or not port_fits:
        return "name a host, and a port from 1 to 65535 if any"
    return None
