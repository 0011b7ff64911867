"""What can be done with a cut, as a command, as a request and as a call of the client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recede.api.answers.snippets import python, shell
from recede.contract.schemas import ActionSnippets, CutSnippets, SnippetTarget
from recede.contract.schemas.snippets import Action
from recede.contract.spec.run import Plan

_OPTIONS = {
    "macs": "--macs",
    "params": "--params",
    "bytes": "--size",
    "accuracy": "--accuracy",
    "drop": "--drop",
    "latency": "--latency",
}
_ALWAYS = ("epoch", "scope", "ratio", "threshold")
"""Fields of a plan that are written even where they repeat a default."""


@dataclass(frozen=True)
class Chosen:
    """A cut of a run, what it was solved for, and a name that no plan of the run has."""

    run_id: str
    plan: Plan
    target: SnippetTarget | None
    name: str
    recorded: bool = False
    """Whether the run is recorded elsewhere: what needs its weights is not offered."""

    @property
    def latency(self) -> SnippetTarget | None:
        """The target if it is a latency, which is measured and not computed."""
        return self.target if self.target is not None and self.target.kind == "latency" else None


Body = dict[str, Any]


@dataclass(frozen=True)
class _Way:
    """One action: the words of its command, its request, and its call of the client."""

    label: str
    path: str
    command: Callable[[Chosen], list[str]]
    body: Callable[[Chosen], Body]
    calls: Callable[[Chosen], list[str]]


def cut_snippets(chosen: Chosen, origin: str) -> CutSnippets:
    """Every action that makes sense for the cut, for the service at `origin`."""
    items = [_snippets(action, way, chosen, origin) for action, way in _ways(chosen).items()]
    return CutSnippets(items=items)


def _snippets(action: Action, way: _Way, chosen: Chosen, origin: str) -> ActionSnippets:
    url = f"{origin}/api/v1/runs/{chosen.run_id}{way.path}"
    return ActionSnippets(
        action=action,
        label=way.label,
        command=shell.line([*way.command(chosen), *shell.service(origin)]),
        curl=shell.post(url, shell.compact(way.body(chosen))),
        python=python.with_client(origin, way.calls(chosen)),
    )


def _ways(chosen: Chosen) -> dict[Action, _Way]:
    computed = chosen.target is not None and chosen.latency is None
    if chosen.recorded:
        return {"preview": _PREVIEW, **({"solve": _SOLVE} if computed else {}), "save": _SAVE}
    return {
        "prune": _PRUNE,
        "preview": _PREVIEW,
        "measure": _MEASURE,
        "curve": _CURVE,
        **({"solve": _SOLVE} if computed else {}),
        "latency": _LATENCY if chosen.latency is None else _FAST_ENOUGH,
        "save": _SAVE,
    }


def _plan(plan: Plan) -> Body:
    """The plan as the API takes it, without what only repeats a default."""
    whole = plan.model_dump(mode="json", exclude_none=True)
    own = plan.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: value for name, value in whole.items() if name in own or name in _ALWAYS}


def _open(plan: Plan) -> Body:
    """The plan without the amount that a target replaces."""
    return {k: v for k, v in _plan(plan).items() if k not in ("ratio", "threshold")}


def _curve(plan: Plan) -> Body:
    """What identifies the curve on which a plan lies."""
    own = _plan(plan)
    return {name: own[name] for name in ("epoch", "scope", "criterion", "bias") if name in own}


def _target(target: SnippetTarget) -> Body:
    relative = {"relative": True} if target.relative else {}
    return {"kind": target.kind, "value": target.value, **relative}


def _amount(target: SnippetTarget) -> str:
    """A target as the command line reads it: 40%, 120000, 0.5 (points), 4ms."""
    if target.kind == "latency":
        return f"{shell.number(target.value)}ms"
    if target.kind == "drop":
        return shell.number(100 * target.value)
    if target.relative or target.kind == "accuracy":
        return f"{shell.number(100 * target.value)}%"
    return shell.number(target.value)


def _options(plan: Plan, target: SnippetTarget | None) -> list[str]:
    """All options of a cut: its target if there is one, else its ratio or threshold."""
    own = _plan(plan)
    if target is not None:
        words = [_OPTIONS[target.kind], _amount(target)]
    else:
        amount = "ratio" if plan.threshold is None else "threshold"
        words = [f"--{amount}", str(own[amount])]
    if plan.scope == "local":
        words += ["--scope", "local"]
    if plan.epoch is not None:
        words += ["--epoch", str(plan.epoch)]
    for layer in plan.locks:
        words += ["--lock", layer]
    for layer, ratio in plan.overrides.items():
        words += ["--override", f"{layer}={ratio}"]
    for name in ("criterion", "round_to", "min_channels", "bias"):
        if name in own:
            words += [f"--{name.replace('_', '-')}", str(own[name])]
    return words


def _command(name: str) -> Callable[[Chosen], list[str]]:
    return lambda it: ["recede", name, it.run_id, *_options(it.plan, it.target)]


def _curve_command(it: Chosen) -> list[str]:
    words = ["recede", "curve", it.run_id]
    for name, value in _curve(it.plan).items():
        words += [f"--{name}", str(value)]
    return words


def _plan_text(plan: Plan) -> str:
    return f"Plan({python.arguments(_plan(plan))})"


def _call(method: str, *given: str) -> str:
    return f"client.{method}({', '.join(part for part in given if part)})"


def _id(it: Chosen) -> str:
    return python.literal(it.run_id)


_PRUNE = _Way(
    "Prune and download",
    "/prune",
    lambda it: [*_command("prune")(it), "--out", "."],
    lambda it: {"plan": _plan(it.plan)},
    lambda it: [
        f"job = {_call('prune', _id(it), _plan_text(it.plan))}.job",
        "print(job.id, job.state)",
    ],
)
_PREVIEW = _Way(
    "Preview cost and kept channels",
    "/preview",
    _command("preview"),
    lambda it: {"plan": _plan(it.plan)},
    lambda it: [
        f"cut = {_call('preview', _id(it), _plan_text(it.plan))}",
        "print(cut.kept, cut.cost, cut.accuracy)",
    ],
)
_MEASURE = _Way(
    "Measure this cut",
    "/evaluate",
    _command("evaluate"),
    lambda it: {"plan": _plan(it.plan)},
    lambda it: [
        f"answer = {_call('evaluate', _id(it), _plan_text(it.plan))}",
        "print(answer.evaluation or answer.job)",
    ],
)
_CURVE = _Way(
    "Measure the accuracy curve",
    "/curve",
    _curve_command,
    lambda it: _curve(it.plan),
    lambda it: [
        f"job = {_call('measure_curve', _id(it), python.arguments(_curve(it.plan)))}.job",
        "print(job.id, job.state)",
    ],
)
_SOLVE = _Way(
    "Solve for the target",
    "/solve",
    _command("preview"),
    lambda it: {"plan": _open(it.plan), "target": it.target and _target(it.target)},
    lambda it: [
        f"target = Target({python.arguments(_target(it.target)) if it.target else ''})",
        f"found = {_call('solve', _id(it), 'target', _plan_text(it.plan))}",
        "print(found.plan.ratio, found.reached)",
    ],
)
_LATENCY = _Way(
    "Measure the latency",
    "/latency",
    lambda it: ["recede", "latency", it.run_id, *_options(it.plan, None)],
    lambda it: {"plan": _plan(it.plan)},
    lambda it: [
        f"answer = {_call('measure_latency', _id(it), _plan_text(it.plan))}",
        "print(answer.items or answer.job)",
    ],
)
_FAST_ENOUGH = _Way(
    "Find the cut of this latency",
    "/latency",
    _command("latency"),
    lambda it: {"plan": _plan(it.plan), **_latency(it)},
    lambda it: [
        f"job = {_call('fast_enough', _id(it), *_latency_arguments(it))}.job",
        "print(job.id, job.state)",
    ],
)
_SAVE = _Way(
    "Save this plan",
    "/plans",
    lambda it: ["recede", "keep", it.run_id, it.name, *_options(it.plan, it.target)],
    lambda it: {"name": it.name, "plan": _plan(it.plan)},
    lambda it: [
        f"kept = {_call('save_plan', _id(it), python.literal(it.name), _plan_text(it.plan))}",
        "print(kept.id)",
    ],
)


def _latency(it: Chosen) -> Body:
    return {} if it.latency is None else {"target_ms": it.latency.value, "batch": it.latency.batch}


def _latency_arguments(it: Chosen) -> list[str]:
    wanted = _latency(it)
    return [repr(wanted["target_ms"]), _plan_text(it.plan), f"batch={wanted['batch']}"]
