"""Text to copy: a run as command line, curl or Python, and how to load a downloaded file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from recede.client import (
    DEFAULT_URL,
    CheckpointOut,
    Plan,
    RunSpec,
)

_PLAIN = (
    *("epochs", "batch_size", "lr", "seed", "device", "val_fraction"),
    *("schedule", "warmup_epochs", "label_smoothing", "precision", "processes"),
    *("map_budget", "keep_weights_mb"),
)
Axes = Mapping[str, Sequence[Any]]
UNSPEAKABLE = (
    "# The command line cuts the best epoch by a global ratio. The cut before\n"
    "# this training is another one: use curl or Python."
)


def spec_body(spec: RunSpec) -> dict[str, Any]:
    """The spec as the API takes it, without what only repeats a default."""
    body: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in body.items() if value != {}}


def command_line(spec: RunSpec, origin: str) -> str:
    """The `recede submit` that starts this run at the service whose page has this origin."""
    if not _speakable(spec):
        return UNSPEAKABLE
    return _wrapped(["recede", "submit", *_options(spec, ()), *_service(origin), "--watch"])


def sweep_command_line(spec: RunSpec, axes: Axes, origin: str) -> str:
    """The `recede submit` that starts this group."""
    if not _speakable(spec):
        return UNSPEAKABLE
    words = _options(spec, axes)
    for name, values in axes.items():
        words += ["--grid", f"{name}={','.join(_value(value) for value in values)}"]
    return _wrapped(["recede", "submit", *words, *_service(origin)])


def curl(spec: RunSpec, origin: str) -> str:
    """The request that starts this run."""
    return _post(f"{origin}/api/v1/runs", spec_body(spec))


def sweep_curl(spec: RunSpec, axes: Axes, origin: str) -> str:
    """The request that starts this group."""
    return _post(f"{origin}/api/v1/groups", _sweep_body(spec, axes))


def python(spec: RunSpec, origin: str) -> str:
    """The same with the typed client."""
    return (
        "from recede.client import RecedeClient\n\n"
        f'with RecedeClient("{origin}") as client:\n'
        f"    run = client.create_run({_literal(spec_body(spec))}).run\n"
        "    print(run.id, run.state)"
    )


def sweep_python(spec: RunSpec, axes: Axes, origin: str) -> str:
    """The same group with the typed client."""
    body = _sweep_body(spec, axes)
    name = f", name={body['name']!r}" if body["name"] else ""
    return (
        "from recede.client import RecedeClient\n\n"
        f"spec = {_literal(body['spec'], indent='')}\n"
        f"axes = {_literal(body['axes'], indent='')}\n"
        f'with RecedeClient("{origin}") as client:\n'
        f"    group = client.create_group(spec, axes{name}).group\n"
        "    print(group.id, group.counts)"
    )


def _sweep_body(spec: RunSpec, axes: Axes) -> dict[str, Any]:
    """The group as the API takes it; what the axes set is left out of the spec."""
    body = spec_body(spec)
    for name in axes:
        kind, _, param = name.rpartition(".")
        body.get(kind, body).pop(param, None)
    name = body.pop("name", "")
    kept = {key: value for key, value in body.items() if value != {}}
    return {"spec": kept, "axes": {key: list(axes[key]) for key in axes}, "name": name}


def _options(spec: RunSpec, axes: Sequence[str] | Axes) -> list[str]:
    """Options of the command line for a spec, without those that the axes set."""
    body = spec_body(spec)
    words = []
    for key in ("dataset", "architecture", "method"):
        words += [f"--{key}", str(body[key])]
    whole: dict[str, Any] = spec.model_dump(mode="json")
    inherits = spec.init is not None and spec.init.run is not None
    for key in _PLAIN:  # what is not given is as in the run that it starts from, if any
        if (inherits or key in body) and key not in axes:
            words += [f"--{key.replace('_', '-')}", str(whole[key])]
    if spec.compile:
        words += ["--compile"]
    for kind in ("dataset", "architecture", "method"):
        for name, value in body.get(f"{kind}_params", {}).items():
            if f"{kind}_params.{name}" not in axes:
                words += ["--param", f"{kind}.{name}={_value(value)}"]
    words += _init_options(body.get("init") or {})
    return words + (["--name", spec.name] if spec.name else [])


def _service(origin: str) -> list[str]:
    """Where the service listens, unless the command looks there by itself."""
    return [] if origin in ("", DEFAULT_URL) else ["--url", origin]


def _init_options(init: Mapping[str, Any]) -> list[str]:
    words = []
    for key in ("file", "run"):
        if init.get(key) is not None:
            words += [f"--init-{key}", str(init[key])]
    if init.get("plan") is not None:
        words += ["--init-ratio", _value(init["plan"]["ratio"])]
    return [*words, "--new-head"] if init.get("new_head") else words


def _speakable(spec: RunSpec) -> bool:
    """Whether the command line has words for the cut that comes first."""
    plan = None if spec.init is None else spec.init.plan
    return plan is None or (plan.ratio is not None and plan == Plan(ratio=plan.ratio))


def _post(url: str, body: Any) -> str:
    text = _flat(json.dumps(body, ensure_ascii=False, indent=2))
    return (
        f"curl -X POST {url} \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(text)}"
    )


def _flat(text: str) -> str:
    """JSON with its lists of numbers on one line."""
    return re.sub(r"\[([^\[\]{}]*)\]", lambda m: f"[{' '.join(m[1].split())}]", text)


def _literal(body: Any, indent: str = "    ") -> str:
    """A body as Python's literal."""
    text = _flat(json.dumps(body, ensure_ascii=False, indent=4))
    for theirs, ours in (("true", "True"), ("false", "False"), ("null", "None")):
        text = text.replace(f": {theirs}", f": {ours}")
    return text.replace("\n", f"\n{indent}")


def loading(checkpoint: CheckpointOut) -> str:
    """Python that loads the weights into the network of model.py."""
    file = _filename(checkpoint, "safetensors", "model.safetensors")
    module_file = _filename(checkpoint, "python", "model.py")
    name = module_file.removesuffix(".py").replace("-", "_")
    note = "" if module_file == f"{name}.py" else f"  # save {module_file} as {name}.py"
    if "needs" in checkpoint.manifest:
        return f'from {name} import load{note}\n\nnetwork = load("{file}")'
    return (  # written before model.py read its weights itself
        "from safetensors.torch import load_file\n"
        f"from {name} import build{note}\n\n"
        "network = build()\n"
        f'network.load_state_dict(load_file("{file}"))\n'
        "network.eval()"
    )


def loading_onnx(checkpoint: CheckpointOut) -> str:
    """Python that asks the ONNX file with onnxruntime and numpy alone."""
    shape = (checkpoint.manifest.get("input") or {}).get("shape") or [3, 224, 224]
    file = _filename(checkpoint, "onnx", "model.onnx")
    return (
        "import numpy as np\n"
        "import onnxruntime\n\n"
        f'session = onnxruntime.InferenceSession("{file}")\n'
        f"images = np.zeros((1, {', '.join(map(str, shape))}), np.float32)  # normalised\n"
        'scores = session.run(None, {"images": images})[0]'
    )


def verifying(checkpoint: CheckpointOut) -> str:
    """The command that repeats the proof of the downloaded ZIP."""
    return f"recede verify {shlex.quote(_filename(checkpoint, 'zip', 'all.zip'))}"


def _filename(checkpoint: CheckpointOut, format_: str, default: str) -> str:
    file = checkpoint.files.get(format_)
    return file.filename if file else default


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _wrapped(words: list[str]) -> str:
    lines = [" ".join(words[:2])]
    for word in words[2:]:
        quoted = shlex.quote(word)
        if word.startswith("--"):
            lines.append(f"  {quoted}")
        else:
            lines[-1] += f" {quoted}"
    return " \\\n".join(lines)
