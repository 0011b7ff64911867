"""A training or a grid of them as `recede submit`, as a request and as a call of the client."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from recede.api.answers.snippets import python, shell
from recede.contract.network.pixels import pixels_text
from recede.contract.schemas import RunSnippets
from recede.contract.spec.recipe_fields import RECIPE_FIELDS
from recede.contract.spec.run import Plan, RunSpec

Axes = Mapping[str, Sequence[Any]]
Body = dict[str, Any]

NO_COMMAND = (
    "# The command line cuts the best epoch by a global ratio. The cut before\n"
    "# this training is another one: use curl or Python."
)
_KINDS = ("dataset", "architecture", "method")


def run_snippets(spec: RunSpec, axes: Axes, origin: str) -> RunSnippets:
    """What submits this run, or with axes this group, to the service at `origin`."""
    return _grid(spec, axes, origin) if axes else _run(spec, origin)


def _run(spec: RunSpec, origin: str) -> RunSnippets:
    body = _body(spec)
    words = [*_options(spec, ()), *shell.service(origin), "--watch"]
    calls = [
        f"run = client.create_run({python.block(body, '    ')}).run",
        "print(run.id, run.state)",
    ]
    return RunSnippets(
        command=_command(spec, words),
        curl=shell.post(f"{origin}/api/v1/runs", _indented(body)),
        python=python.with_client(origin, calls),
    )


def _grid(spec: RunSpec, axes: Axes, origin: str) -> RunSnippets:
    body = _grid_body(spec, axes)
    words = _options(spec, axes)
    for name, values in axes.items():
        words += ["--grid", f"{name}={','.join(_value(value) for value in values)}"]
    name = f", name={python.literal(body['name'])}" if body["name"] else ""
    calls = [
        f"spec = {python.block(body['spec'], '    ')}",
        f"axes = {python.block(body['axes'], '    ')}",
        f"group = client.create_group(spec, axes{name}).group",
        "print(group.id, group.counts)",
    ]
    return RunSnippets(
        command=_command(spec, [*words, *shell.service(origin)]),
        curl=shell.post(f"{origin}/api/v1/groups", _indented(body)),
        python=python.with_client(origin, calls),
    )


def _body(spec: RunSpec) -> Body:
    """The spec as the API takes it, without what only repeats a default."""
    body: Body = spec.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in body.items() if value != {}}


def _grid_body(spec: RunSpec, axes: Axes) -> Body:
    """The group as the API takes it; what the axes set is left out of the spec."""
    body = _body(spec)
    for name in axes:
        kind, _, param = name.rpartition(".")
        body.get(kind, body).pop(param, None)
    name = body.pop("name", "")
    kept = {key: value for key, value in body.items() if value != {}}
    return {"spec": kept, "axes": {key: list(axes[key]) for key in axes}, "name": name}


def _command(spec: RunSpec, words: list[str]) -> str:
    """The command, where it has words for the cut that comes before the training."""
    plan = None if spec.init is None else spec.init.plan
    sayable = plan is None or (plan.ratio is not None and plan == Plan(ratio=plan.ratio))
    return shell.wrapped(["recede", "submit", *words]) if sayable else NO_COMMAND


def _options(spec: RunSpec, axes: Sequence[str] | Axes) -> list[str]:
    """Options of the command line for a spec, without those that the axes set."""
    body = _body(spec)
    words = []
    for kind in _KINDS:
        words += [f"--{kind}", str(body[kind])]
    whole: Body = spec.model_dump(mode="json")
    inherits = spec.init is not None and spec.init.run is not None
    for field in RECIPE_FIELDS:  # what is not given is as in the run that it starts from, if any
        if (inherits or field.name in body) and field.name not in axes:
            words += _option(field.option, whole[field.name])
    for kind in _KINDS:
        for name, value in body.get(f"{kind}_params", {}).items():
            if f"{kind}_params.{name}" not in axes:
                words += ["--param", f"{kind}.{name}={_value(value)}"]
    words += _init_options(body.get("init") or {})
    if inherits or "normalize" in body:
        words += ["--normalize", pixels_text(spec.normalize)]
    if spec.distill is not None:
        words += ["--distill"]
        for name, value in spec.distill.model_dump().items():
            words += [f"--distill-{name}", _value(value)]
    return words + (["--name", spec.name] if spec.name else [])


def _option(option: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [option] if value else []
    return [option, str(value)]


def _init_options(init: Mapping[str, Any]) -> list[str]:
    words = []
    for option, key in (
        ("--init-file", "file"),
        ("--pretrained", "pretrained"),
        ("--init-run", "run"),
    ):
        if init.get(key) is not None:
            words += [option, str(init[key])]
    if init.get("plan") is not None:
        words += ["--init-ratio", str(init["plan"]["ratio"])]
    if init.get("classes") is not None:
        words += ["--classes", _names(init["classes"])]
    return [*words, "--new-head"] if init.get("new_head") else words


def _names(given: str | list[str]) -> str:
    """Names of outputs as --classes reads them."""
    if isinstance(given, str):
        return given
    if any("," in name or name != name.strip() for name in given):
        return json.dumps(given, ensure_ascii=False)
    return ",".join(given)


def _value(value: object) -> str:
    """A parameter as --param and --grid read it: JSON, or any other text as it is."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _indented(body: Body) -> str:
    """JSON with its lists on one line."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return re.sub(r"\[([^\[\]{}\"]*)\]", lambda m: f"[{' '.join(m[1].split())}]", text)
