"""Who may talk to the service: host names, origins, sizes; and the headers of every answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from recede.api.app import create_app
from recede.api.http.access import MAX_BODY_BYTES, ContentPolicy
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.conftest import BASE, InProcess

RUNS = "/api/v1/runs"


@pytest.mark.parametrize(
    "host", ["localhost:8400", "127.0.0.1:8400", "[::1]:8400", "LOCALHOST", "192.168.1.7:8400"]
)
def test_own_names_and_addresses_are_answered(http, host):
    assert http.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "testserver", "127.0.0.1.evil.example", "[x"],
)
@pytest.mark.parametrize("path", ["/healthz", "/docs", RUNS, "/"])
def test_a_foreign_host_name_is_refused(http, host, path):
    error = refused(http.get(path, headers={"Host": host}), 403)
    assert "RECEDE_ALLOWED_HOSTS" in error["hint"]


def test_a_configured_name_is_answered(settings, store):
    named = replace(settings, host="recede.lan", allowed_hosts=("testserver",))
    app = create_app(named, store)
    with httpx.Client(transport=InProcess(app), base_url=BASE) as http:
        for host in ("testserver", "recede.lan:8400"):
            assert http.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_another_sites_page_changes_nothing(http, method, headers):
    answer = http.request(method, f"{RUNS}/abc", headers=headers)
    assert refused(answer, 403)["code"] == "forbidden"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8400", "Sec-Fetch-Site": "same-origin"}],
)
def test_own_pages_and_programs_may_change(http, headers):
    body = {"dataset": "digits", "architecture": "tiny", "method": "rni"}
    assert http.post(RUNS, json=body, headers=headers).status_code == 201


def test_a_link_from_another_site_may_be_followed(http):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert http.get("/docs", headers=headers).status_code == 200


def test_a_huge_body_is_not_read(http):
    answer = http.post(RUNS, content=b"x" * (MAX_BODY_BYTES + 1))
    assert str(MAX_BODY_BYTES) in refused(answer, 413)["message"]


def chunked(app, path: str, n_chunks: int) -> tuple[list[dict], int]:
    """Posts a body without a length, 64 KiB at a time; what was sent, how much was read."""
    sent, read = [], 0

    async def send(message):
        sent.append(message)

    async def receive():
        nonlocal read
        read += 1
        return {
            "type": "http.request",
            "body": b"x" * (64 << 10),
            "more_body": read < n_chunks,
        }

    headers = [(b"host", b"127.0.0.1:8400"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": headers,
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8400),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    return sent, read


def test_a_huge_body_without_a_length_is_read_to_the_limit_only(app):
    sent, read = chunked(app, RUNS, 1000)
    assert read == 17
    assert [m["type"] for m in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 413
    error = json.loads(sent[1]["body"])["error"]
    assert error["code"] == "too_large"
    assert str(MAX_BODY_BYTES) in error["message"]
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]


def test_a_body_without_a_length_up_to_the_limit_is_read(app):
    sent, read = chunked(app, RUNS, 16)
    assert (read, sent[0]["status"]) == (16, 422)


def test_a_real_server_refuses_a_huge_body_in_chunks(live):
    chunks = (b"x" * (64 << 10) for _ in range(20))
    answer = httpx.post(f"{live}{RUNS}", content=chunks, headers={"Content-Type": "text/plain"})
    assert refused(answer, 413)["code"] == "too_large"


def test_a_foreign_websocket_is_closed(app):
    sent = []

    async def connect() -> None:
        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"127.0.0.1:8400"), (b"origin", b"http://evil.example")]
        scope = {"type": "websocket", "path": "/x", "headers": headers, "query_string": b""}
        await app(scope, receive, send)

    asyncio.run(connect())
    assert [(m["type"], m.get("code")) for m in sent] == [("websocket.close", 1008)]


@pytest.mark.parametrize("path", ["/docs", "/healthz", "/api/nothing"])
def test_every_answer_carries_the_safe_headers(http, path):
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert policy.split("script-src ")[1].split(";")[0] == "'self'"


def test_hashes_of_a_mounted_page_join_the_policy(app, http):
    app.state.policy.script_hashes.append("'sha256-abc='")
    assert (
        "script-src 'self' 'sha256-abc=';" in http.get("/docs").headers["content-security-policy"]
    )


def test_hashes_are_quoted_once():
    policy = ContentPolicy(["sha256-a=", "'sha256-b='"])
    assert "script-src 'self' 'sha256-a=' 'sha256-b=';" in policy.header()


def test_api_answers_are_not_kept_by_caches(http, finished):
    assert http.get(RUNS).headers["cache-control"] == "no-store"
    snapshot = http.get(f"{RUNS}/{finished.id}/snapshots/1")
    assert "immutable" in snapshot.headers["cache-control"]
