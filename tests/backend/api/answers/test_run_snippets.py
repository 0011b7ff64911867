"""A run or a grid as text to copy: the same thing is said in all three ways."""

from __future__ import annotations

import ast
import json
import shlex

import pytest
from typer.main import get_command

from recede.api.answers.snippets.runs import run_snippets
from recede.cli import app
from recede.contract.spec.run import Init, RunSpec

HERE = "http://127.0.0.1:8400"
AXES = {"method_params.lam": [0.7, 1.4], "seed": [0, 1]}
SPEC = RunSpec(
    name="first",
    dataset="digits",
    architecture="tiny",
    architecture_params={"width": 0.25, "depth": 3},
    method="rni",
    method_params={"lam": 0.05},
    batch_size=100,
)


def changed(**fields) -> RunSpec:
    return SPEC.model_copy(update=fields)


def words_of(line: str) -> list[str]:
    return shlex.split(line.replace("\\\n", ""))


def command(spec: RunSpec, axes=None, origin: str = HERE) -> list[str]:
    return words_of(run_snippets(spec, axes or {}, origin).command)


def test_the_command_names_what_differs_from_the_defaults():
    words = command(SPEC)
    assert words[:2] == ["recede", "submit"]
    assert "architecture.width=0.25" in words
    assert "method.lam=0.05" in words
    assert words[words.index("--name") + 1] == "first"
    assert "--epochs" not in words  # ten, as is the default
    assert words[words.index("--batch-size") + 1] == "100"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8417", "https://gpu.example"])
def test_every_command_names_the_service_unless_it_looks_there_by_itself(origin):
    for axes in ({}, AXES):
        words = command(SPEC, axes, origin)
        assert words[words.index("--url") + 1] == origin
        assert "--url" not in command(SPEC, axes)


def test_the_command_of_a_training_from_a_run_inherits_nothing_unsaid():
    words = command(changed(init=Init(run="abc"), keep_weights_mb=7))
    for option, value in (("--epochs", "10"), ("--schedule", "step"), ("--keep-weights-mb", "7")):
        assert words[words.index(option) + 1] == value
    assert "--compile" not in words


def test_switches_and_choices_of_the_recipe_are_options():
    words = command(changed(schedule="cosine", compile=True, precision="bf16"))
    assert words[words.index("--schedule") + 1] == "cosine"
    assert "--compile" in words


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (("cat", "dog"), "cat,dog"),
        (("cat, small", "dog"), '["cat, small", "dog"]'),
        ("mine/names.txt", "mine/names.txt"),
    ],
)
def test_weights_from_elsewhere_are_said_with_their_classes_and_what_they_are_fed(classes, text):
    for source in ("file", "pretrained"):
        init = {source: "V1", "classes": classes}
        spec = RunSpec(**SPEC.model_dump() | {"init": init, "normalize": "imagenet1k"})
        words = command(spec)
        option = "--init-file" if source == "file" else "--pretrained"
        assert words[words.index(option) + 1] == "V1"
        assert words[words.index("--classes") + 1] == text
        assert words[words.index("--normalize") + 1] == "imagenet1k"


def test_a_fine_tuning_names_its_run_and_its_cut():
    spec = RunSpec(**SPEC.model_dump() | {"init": {"run": "abcd2345", "plan": {"ratio": 0.6}}})
    words = command(spec)
    assert words[words.index("--init-run") + 1] == "abcd2345"
    assert words[words.index("--init-ratio") + 1] == "0.6"


def test_a_cut_that_the_command_cannot_say_is_left_to_the_other_two():
    plan = {"ratio": 0.6, "locks": ["features.0"]}
    spec = RunSpec(**SPEC.model_dump() | {"init": {"run": "abcd2345", "plan": plan}})
    found = run_snippets(spec, {}, "http://here")
    assert "use curl or Python" in found.command
    assert "features.0" in found.curl
    assert "features.0" in found.python


def test_a_taught_fine_tuning_has_the_options_of_its_teacher():
    start = {"init": {"run": "abcd2345", "plan": {"ratio": 0.5}}, "distill": {"weight": 0.5}}
    spec = RunSpec(**SPEC.model_dump() | start)
    words = command(spec, {})
    at = words.index("--distill")
    assert words[at + 1 : at + 5] == ["--distill-weight", "0.5", "--distill-temperature", "4.0"]
    context = get_command(app).commands["submit"].make_context("submit", words[2:])
    assert (context.params["distill"], context.params["weight"]) == (True, 0.5)


def test_curl_carries_the_spec():
    words = words_of(run_snippets(SPEC, {}, HERE).curl)
    assert f"{HERE}/api/v1/runs" in words
    assert RunSpec(**json.loads(words[-1])) == SPEC


@pytest.mark.parametrize("name", ["plain", 'it\'s "quoted"', "a: true, b: null", "λ = 0.05"])
def test_python_submits_the_same_spec(name):
    spec = changed(name=name, dataset_params={"noise": True})
    tree = ast.parse(run_snippets(spec, {}, HERE).python)
    given = next(ast.literal_eval(n) for n in ast.walk(tree) if isinstance(n, ast.Dict))
    assert RunSpec(**given) == spec


def test_a_grid_has_the_axes_in_place_of_what_they_set():
    spec = changed(name="it's mine")
    words = command(spec, AXES)
    assert words[words.index("--grid") + 1] == "method_params.lam=0.7,1.4"
    assert "method.lam" not in " ".join(words)
    found = run_snippets(spec, AXES, "http://here")
    body = json.loads(words_of(found.curl)[-1])
    assert (body["axes"], body["name"]) == (AXES, "it's mine")
    assert "method_params" not in body["spec"]
    dicts = [n for n in ast.walk(ast.parse(found.python)) if isinstance(n, ast.Assign)]
    values = {n.targets[0].id: n.value for n in dicts if isinstance(n.value, ast.Dict)}
    assert ast.literal_eval(values["spec"]) == body["spec"]
    assert ast.literal_eval(values["axes"]) == AXES


@pytest.mark.parametrize("axes", [{}, AXES])
def test_the_command_line_knows_every_option(axes):
    spec = changed(init=Init(run="abc", new_head=True), compile=True, device="cpu")
    words = command(spec, axes)
    context = get_command(app).commands["submit"].make_context("submit", words[2:])
    assert context.args == []


def test_the_route_gives_the_three_ways(recede):
    found = recede.run_snippets(SPEC, origin=HERE)
    assert found == run_snippets(SPEC, {}, HERE)
    assert recede.run_snippets(SPEC, axes=AXES, origin=HERE) == run_snippets(SPEC, AXES, HERE)


@pytest.mark.parametrize(
    "origin",
    ["ftp://x", "http://", "http://x/path", "http://x;rm", "http://x:y", "javascript:1", ""],
)
def test_an_origin_must_be_one(http, origin):
    body = {"spec": SPEC.model_dump(), "origin": origin}
    answer = http.post("/api/v1/snippets", json=body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == "origin"
    assert "http or https origin" in error["message"]


def test_a_spec_that_is_none_is_refused_at_its_field(http):
    body = {"spec": {**SPEC.model_dump(), "epochs": -1}, "origin": HERE}
    answer = http.post("/api/v1/snippets", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "spec.epochs")
