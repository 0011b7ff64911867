"""Weights to start from, as the form has them: the seed, a file or another run. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from recede.client import Distill, InvalidInput, RunSpec, pixels_text, read_pixels
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.words.numbers import number
from recede_dashboard.words.plans import percent

LABELS = {"distill.weight": "Weight of the teacher", "distill.temperature": "Temperature"}
SEED, FILE, PRETRAINED, RUN = "seed", "file", "pretrained", "run"
"""Where the weights come from; the values of the form's own choice "init.kind"."""

DISTILL = ("distill", "distill.weight", "distill.temperature")
PATHS = (
    *("init.kind", "init.file", "init.run", "init.ratio", "init.plan", "init.new_head"),
    *("init.pretrained", "init.classes", "normalize"),
    *DISTILL,
)


def initial(run_id: str | None = None, plan: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Values of the fields: from the seed, or from a run, cut by a plan of Explore."""
    values: dict[str, Any] = dict.fromkeys(PATHS, "")
    values["init.kind"] = RUN if run_id else SEED
    values["init.run"] = run_id or None
    values["init.new_head"] = "no"
    values["normalize"] = "auto"
    values["distill"] = "no"
    values |= {f"distill.{name}": number(value) for name, value in Distill().model_dump().items()}
    if plan:
        shown = percent(plan)
        values["init.ratio"] = shown
        values["init.plan"] = json.dumps({"shown": shown, "plan": dict(plan)})
    return values


def kept_plan(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The plan that came from Explore, until another ratio is typed."""
    if not values.get("init.plan"):
        return None
    kept = json.loads(values["init.plan"])
    same = str(values.get("init.ratio") or "").strip() == kept["shown"]
    plan: dict[str, Any] = kept["plan"]
    return plan if same else None


def read(values: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any] | None:
    """`init` of the spec, or None for weights drawn from the seed; mistakes go into `errors`."""
    kind = values.get("init.kind")
    head = {"new_head": True} if values.get("init.new_head") == "yes" else {}
    if kind == FILE:
        path = str(values.get("init.file") or "").strip()
        if not path:
            errors["init.file"] = "File is empty; it must be a path below a data root."
        return {"file": path} | head | _classes(values)
    if kind == PRETRAINED:
        tag = str(values.get("init.pretrained") or "").strip()
        if not tag:
            errors["init.pretrained"] = "Tag is empty; it must name published weights."
        return {"pretrained": tag} | head | _classes(values)
    if kind != RUN:
        return None
    if not values.get("init.run"):
        errors["init.run"] = "Run is empty; choose the run to start from."
        return None
    plan = _plan(values, errors)
    return {"run": values["init.run"]} | ({} if plan is None else {"plan": plan}) | head


def _classes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Names separated by commas, or the file or word that stands for them."""
    typed = str(values.get("init.classes") or "").strip()
    names = [name.strip() for name in typed.split(",") if name.strip()]
    return {"classes": names if len(names) > 1 else typed} if typed else {}


def read_normalize(values: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    """`normalize` of the spec where it is not the default; mistakes go into `errors`."""
    typed = str(values.get("normalize") or "").strip()
    if values.get("init.kind") == SEED or not typed:
        return {}
    try:
        found = read_pixels(typed)
    except InvalidInput as error:
        errors["normalize"] = f"{error.message} {error.hint}"
        return {}
    return {} if found == "auto" else {"normalize": found}


def given_by(spec: RunSpec) -> dict[str, Any]:
    """Values of fields that a run hands on to one that starts from it."""
    return {"normalize": pixels_text(spec.normalize)}


def read_distill(values: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any] | None:
    """`distill` of the spec, or None without a teacher; mistakes go into `errors`."""
    if values.get("init.kind") != RUN or values.get("distill") != "yes":
        return None
    if not str(values.get("init.ratio") or "").strip():
        errors["distill"] = (
            "The teacher is the network before it is pruned, and nothing is pruned here; type a "
            "share to prune first, or choose no teacher."
        )
    out: dict[str, Any] = {}
    for path, label in LABELS.items():
        read = read_number(values.get(path), whole=False)
        if read is None:
            errors[path] = f"{label} was {values.get(path)!r}; it must be a number."
        else:
            out[path.partition(".")[2]] = read
    return out


def _plan(values: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any] | None:
    kept = kept_plan(values)
    if kept is not None:
        return kept
    typed = str(values.get("init.ratio") or "").strip()
    if not typed:
        return None
    share = read_number(typed.removesuffix("%"), whole=False)
    if share is None or not 0 < share < 100:
        errors["init.ratio"] = (
            f"Cut was {typed!r}; it must be a share of the neurons between 0 and 100 %, or empty."
        )
        return None
    return {"ratio": round(share / 100, 6)}


def field_of(path: str) -> str:
    """The form's field for an error of the server at a path below `init`."""
    if path == "init":
        return "init.new_head"  # what contradicts itself: shown whatever the source is
    for own, field in (("init.plan", "init.ratio"), ("init.classes", "init.classes")):
        if path.startswith(own):
            return field
    return path
