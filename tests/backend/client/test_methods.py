"""The list of endpoints: whole, and the same methods on both clients."""

from __future__ import annotations

import inspect

import pytest

from recede.client import AsyncRecedeClient, Plan, RecedeClient, RunSpec
from recede.client.methods import ApiMethods, Endpoint
from recede.contract.cut.targets import Target
from recede.contract.schemas import (
    CutAnswer,
    RecordedCut,
    RecordedCutsBody,
    RecordedEpochBody,
    RecordingBody,
    RecordingStateBody,
)

ENDPOINTS = {name: one for name, one in vars(ApiMethods).items() if isinstance(one, Endpoint)}
STREAMED = ("/events", "/download", "/log.txt")
"""Ends of paths that have methods of their own, or are links for a browser."""

SAMPLES = {
    "spec": RunSpec(dataset="d", architecture="a", method="m"),
    "plan": Plan(ratio=0.5),
    "target": Target(kind="macs", value=0.5, relative=True),
    "axes": {"seed": [0, 1]},
    "target_ms": 1.0,
    "layers": ["a"],
    "begun": RecordingBody(name="n", dataset="d", architecture="a", started_at=0),
    "recorded": RecordedEpochBody(at=0, seconds=0),
    "measured": RecordedCutsBody(cuts=[RecordedCut(ratio=0, digest="0" * 64, value=0)]),
    "state": RecordingStateBody(state="running"),
    "answer": CutAnswer(digest="0" * 64, value=0),
}


def requested(endpoint: Endpoint) -> tuple[str, str]:
    """Method and path of the request, with the names of its parameters left in the path."""
    parameters = inspect.signature(endpoint.describe).parameters.values()
    needed = [p.name for p in parameters if p.default is inspect.Parameter.empty]
    call = endpoint.describe(**{name: SAMPLES.get(name, f"{{{name}}}") for name in needed})
    return call.method.lower(), call.path


@pytest.mark.parametrize("client", [RecedeClient, AsyncRecedeClient])
def test_every_operation_of_the_api_is_a_method_of_the_client(client, http):
    described = {
        (method, path)
        for path, operations in http.get("/openapi.json").json()["paths"].items()
        for method in operations
        if not path.endswith(STREAMED)
    }
    found = {requested(one) for name, one in ENDPOINTS.items() if getattr(client, name) is one}
    assert found == described


def test_every_endpoint_is_called_as_its_description_is():
    for name, endpoint in ENDPOINTS.items():
        assert endpoint.describe.__name__ == name
        assert endpoint.__doc__


def test_a_method_has_the_signature_and_words_of_its_endpoint():
    with RecedeClient() as client:
        assert inspect.signature(client.curve) == inspect.signature(ENDPOINTS["curve"].describe)
        assert client.curve.__doc__ == ENDPOINTS["curve"].describe.__doc__
