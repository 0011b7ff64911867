"""The one shape of errors: which status, which words, and nothing of the inside."""

from __future__ import annotations

import logging

import httpx
import pytest
from fastapi import FastAPI

from recede.api.http import errors
from recede.contract import errors as contract
from recede.contract.errors import (
    ImpossiblePlan,
    InvalidInput,
    RecedeError,
    SchemaMismatch,
    StorageProblem,
    Unavailable,
    UnknownName,
    WeightsGone,
)
from recede.store.queue.lease import LeaseLost
from tests.backend.conftest import BASE, InProcess


def all_kinds(kind: type[RecedeError]) -> set[type[RecedeError]]:
    return {kind}.union(*(all_kinds(sub) for sub in kind.__subclasses__()))


def failing(error: Exception) -> httpx.Response:
    app = FastAPI()
    errors.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    transport = InProcess(app, raise_exceptions=False)
    with httpx.Client(transport=transport, base_url=BASE) as http:
        return http.get("/")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("m"), 422),
        (UnknownName("method", "x", ["y"], field="method"), 422),
        (ImpossiblePlan("m"), 422),
        (contract.NotFound("m"), 404),
        (contract.Conflict("m"), 409),
        (WeightsGone("m"), 409),
        (LeaseLost("m"), 409),
        (Unavailable("m"), 503),
        (StorageProblem("m"), 507),
        (SchemaMismatch("m"), 500),
        (RecedeError("m"), 500),
    ],
)
def test_each_error_has_its_status(error: RecedeError, status: int):
    answer = failing(error)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == error.code


def test_every_error_of_the_contract_has_a_status_and_a_code_of_its_own():
    kinds = all_kinds(RecedeError)
    codes = [kind.code for kind in kinds if kind.__module__ == contract.__name__]
    assert len(set(codes)) == len(codes)
    for kind in kinds:
        assert any(parent in errors.STATUSES for parent in kind.__mro__), kind


def test_the_shape_is_pinned():
    answer = failing(InvalidInput("was 1; must be 2", field="a.b", hint="use 2"))
    assert answer.json() == {
        "error": {
            "code": "invalid_input",
            "message": "was 1; must be 2",
            "field": "a.b",
            "hint": "use 2",
        }
    }
    assert failing(contract.NotFound("gone")).json() == {
        "error": {"code": "not_found", "message": "gone"}
    }


def test_a_fault_of_ours_is_told_without_its_inside(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        answer = failing(ZeroDivisionError("secret of the inside"))
    assert answer.status_code == 500
    assert set(answer.json()["error"]) == {"code", "message", "hint"}
    assert "secret" not in answer.text


def test_busy_says_when_to_come_back():
    assert failing(Unavailable("m")).headers["Retry-After"] == "2"
