"""What can be done with a cut, as text to copy: each way does what the others do."""

from __future__ import annotations

import ast
import json
import shlex

import pytest
from typer.main import get_command

from recede.cli import app
from recede.client import Plan, SnippetTarget
from recede.contract.cut.targets import Target

HERE = "http://127.0.0.1:8400"
PLAN = Plan(epoch=3, ratio=0.5)
ODD = Plan(
    epoch=2,
    scope="local",
    threshold=0.25,
    locks=("a",),
    overrides={"b": 0.2},
    criterion="it's",
    round_to=8,
    min_channels=2,
    bias="fold",
)
TARGETS = (
    ("macs", 0.4, True, "--macs 40%"),
    ("params", 120_000.0, False, "--params 120000"),
    ("bytes", 5e6, False, "--size 5000000"),
    ("accuracy", 0.9, False, "--accuracy 90%"),
    ("drop", 0.005, False, "--drop 0.5"),
    ("latency", 4.0, False, "--latency 4ms"),
)


def snippets(recede, run_id, plan=PLAN, target=None, origin=HERE):
    items = recede.cut_snippets(run_id, plan, target=target, origin=origin).items
    return {item.action: item for item in items}


def body_of(curl: str) -> dict:
    return json.loads(shlex.split(curl.replace("\\\n", ""))[-1])


def evaluated(node: ast.Call) -> dict:
    return {k.arg: ast.literal_eval(k.value) for k in node.keywords}


def test_every_action_is_there(recede, finished):
    wanted = ["prune", "preview", "measure", "curve", "latency", "save"]
    assert list(snippets(recede, finished.id)) == wanted
    solved = snippets(recede, finished.id, target=SnippetTarget(kind="macs", value=1e6))
    assert list(solved) == [*wanted[:4], "solve", *wanted[4:]]
    fast = snippets(recede, finished.id, target=SnippetTarget(kind="latency", value=4))
    assert list(fast) == wanted


@pytest.mark.parametrize(
    ("kind", "value", "relative", "option"), TARGETS, ids=[target[0] for target in TARGETS]
)
def test_a_target_is_the_option_of_the_command(recede, finished, kind, value, relative, option):
    target = SnippetTarget(kind=kind, value=value, relative=relative)
    found = snippets(recede, finished.id, target=target)
    asked = ["prune", "preview", "measure", "save", *(["latency"] if kind == "latency" else [])]
    assert [action for action in asked if option not in found[action].command] == []
    assert ("--ratio" in found["latency"].command) is (kind != "latency")
    assert "--ratio" not in found["prune"].command
    if kind == "latency":
        return
    body = body_of(found["solve"].curl)
    assert Target(**body["target"]) == Target(kind=kind, value=value, relative=relative)
    assert body["plan"] == {"epoch": 3, "scope": "global"}


@pytest.mark.parametrize("plan", [PLAN, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("target", [None, *TARGETS], ids=lambda t: t[0] if t else "none")
def test_the_command_line_knows_every_option(recede, finished, plan, target):
    if target is not None:
        target = SnippetTarget(kind=target[0], value=target[1], relative=target[2])
    for item in snippets(recede, finished.id, plan, target).values():
        program, command, *words = shlex.split(item.command)
        assert program == "recede"
        get_command(app).commands[command].make_context(command, words)


@pytest.mark.parametrize("plan", [PLAN, ODD], ids=["plain", "odd"])
def test_request_and_python_hold_the_same_plan(recede, finished, plan):
    found = snippets(recede, finished.id, plan)
    for action in ("prune", "preview", "measure", "latency", "save"):
        assert Plan(**body_of(found[action].curl)["plan"]) == plan
        calls = [n for n in ast.walk(ast.parse(found[action].python)) if isinstance(n, ast.Call)]
        (written,) = [c for c in calls if getattr(c.func, "id", "") == "Plan"]
        assert Plan(**evaluated(written)) == plan


def test_a_curve_is_told_by_epoch_scope_criterion_and_bias(recede, finished):
    found = snippets(recede, finished.id, ODD)["curve"]
    told = {"epoch": 2, "scope": "local", "criterion": "it's", "bias": "fold"}
    assert body_of(found.curl) == told
    assert "recede curve" in found.command
    (call,) = [
        n
        for n in ast.walk(ast.parse(found.python))
        if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "measure_curve"
    ]
    assert evaluated(call) == told


def test_python_imports_what_it_uses(recede, finished):
    target = SnippetTarget(kind="macs", value=0.3, relative=True)
    for action, item in snippets(recede, finished.id, target=target).items():
        lines = [node for node in ast.parse(item.python).body if isinstance(node, ast.ImportFrom)]
        names = {alias.name for line in lines for alias in line.names}
        assert ("Plan" in names) is ("Plan(" in item.python), action
        assert ("Target" in names) is (action == "solve")


def test_a_latency_is_looked_for_at_its_batch(recede, finished):
    target = SnippetTarget(kind="latency", value=4.5, batch=64)
    found = snippets(recede, finished.id, target=target)["latency"]
    assert body_of(found.curl) | {"plan": None} == {"plan": None, "target_ms": 4.5, "batch": 64}
    assert "fast_enough" in found.python
    assert "batch=64" in found.python


def test_another_service_is_named_in_every_way(recede, finished):
    origin = "https://gpu.example:8443"
    for item in snippets(recede, finished.id, origin=origin).values():
        words = shlex.split(item.command)
        assert words[words.index("--url") + 1] == origin
        assert f"{origin}/api/v1/runs/{finished.id}/" in item.curl
        assert f'RecedeClient("{origin}")' in item.python
    assert "--url" not in snippets(recede, finished.id)["prune"].command


def test_a_plan_is_saved_under_a_name_of_its_own(recede, finished):
    assert body_of(snippets(recede, finished.id)["save"].curl)["name"] == "my plan"
    recede.save_plan(finished.id, "my plan", Plan(ratio=0.25))
    assert body_of(snippets(recede, finished.id)["save"].curl)["name"] == "my plan 2"
    recede.save_plan(finished.id, "half", Plan(ratio=0.5))  # the best epoch, which is 3
    assert body_of(snippets(recede, finished.id)["save"].curl)["name"] == "half 2"
    long = "x" * 80
    recede.save_plan(finished.id, long, Plan(epoch=2, ratio=0.5))
    name = body_of(snippets(recede, finished.id, Plan(epoch=2, ratio=0.5))["save"].curl)["name"]
    assert name == f"{'x' * 78} 2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plan": {"ratio": 0.5}, "origin": "http://x/y"}, "origin"),
        ({"plan": {"ratio": 2}, "origin": HERE}, "plan.ratio"),
        ({"plan": {"ratio": 0.5}}, "origin"),
        (
            {"plan": {"ratio": 0.5}, "origin": HERE, "target": {"kind": "macs", "value": -1}},
            "target.value",
        ),
        (
            {
                "plan": {"ratio": 0.5},
                "origin": HERE,
                "target": {"kind": "latency", "value": 1, "relative": True},
            },
            "target",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_at_its_field(http, finished, body, field):
    answer = http.post(f"/api/v1/runs/{finished.id}/snippets", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_a_run_that_is_not_there(http):
    body = {"plan": {"ratio": 0.5}, "origin": HERE}
    assert http.post("/api/v1/runs/none/snippets", json=body).status_code == 404
