"""Text to copy: a run as command line, curl or Python, and how to load a downloaded file."""

from __future__ import annotations

import json
import shlex
from typing import Any

from backend.client import CheckpointOut, RunSpec

_PLAIN = ("epochs", "batch_size", "lr", "seed", "device", "val_fraction")


def spec_body(spec: RunSpec) -> dict[str, Any]:
    """The spec as the API takes it, without what only repeats a default."""
    body: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in body.items() if value != {}}


def command_line(spec: RunSpec) -> str:
    """The `recede submit` that starts this run."""
    body = spec_body(spec)
    words = ["recede", "submit"]
    for key in ("dataset", "architecture", "method"):
        words += [f"--{key}", str(body[key])]
    for key in _PLAIN:
        if key in body:
            words += [f"--{key.replace('_', '-')}", str(body[key])]
    for kind in ("dataset", "architecture", "method"):
        for name, value in body.get(f"{kind}_params", {}).items():
            words += ["--param", f"{kind}.{name}={_value(value)}"]
    if spec.name:
        words += ["--name", spec.name]
    return _wrapped([*words, "--watch"])


def curl(spec: RunSpec, origin: str) -> str:
    """The request that starts this run."""
    body = json.dumps(spec_body(spec), ensure_ascii=False, indent=2)
    return (
        f"curl -X POST {origin}/api/v1/runs \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def python(spec: RunSpec, origin: str) -> str:
    """The same with the typed client."""
    body = json.dumps(spec_body(spec), ensure_ascii=False, indent=4)
    body = body.replace(": true", ": True").replace(": false", ": False")
    return (
        "from backend.client import RecedeClient\n\n"
        f'with RecedeClient("{origin}") as client:\n'
        f"    run = client.create_run({_indented(body)}).run\n"
        "    print(run.id, run.state)"
    )


def loading(checkpoint: CheckpointOut) -> str:
    """Python that loads the file with torch and safetensors alone."""
    weights = checkpoint.files.get("safetensors")
    module = checkpoint.files.get("python")
    file = weights.filename if weights else "weights.safetensors"
    module_file = module.filename if module else "model.py"
    name = module_file.removesuffix(".py").replace("-", "_")
    note = "" if module_file == f"{name}.py" else f"  # save {module_file} as {name}.py"
    return (
        "from safetensors.torch import load_file\n"
        f"from {name} import build{note}\n\n"
        "network = build()\n"
        f'network.load_state_dict(load_file("{file}"))\n'
        "network.eval()"
    )


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


def _indented(body: str) -> str:
    return body.replace("\n", "\n    ")
