"""Reads a state_dict written elsewhere: safetensors, or torch.save without code in it."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from recede.contract.network import weight_files
from recede.contract.network.weight_files import UnusableWeights
from recede_worker.engine.checkpoints.read_errors import TORCH_LOAD_ERRORS

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts keep the state_dict, in the order in which they are tried."""
CONVERSION = (
    "import torch; from safetensors.torch import save_file; "
    "made = torch.load({old!r}, weights_only=False); "
    "save_file(made['state_dict'], {new!r})"
    " (made.state_dict() if it is a whole network, made if it is the weights themselves)."
)
"""Converts a file with code in it into one without."""
_OBJECT = re.compile(r"GLOBAL ([\w.]+)")
"""The first object that torch refused, in its error."""
PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""


@dataclass(frozen=True)
class WeightFile:
    """The entries of a file, their names without wrappers, and the file's SHA-256."""

    weights: dict[str, Tensor]
    sha256: str


def read_weight_file(path: Path) -> WeightFile:
    """Read a file that `weight_files.find` has found.

    Raises:
        UnusableWeights: damaged, more than tensors in it, or no state_dict.
    """
    weight_files.check(path)
    try:
        safe = path.name.lower().endswith(weight_files.SAFETENSORS)
        loaded = load_file(path) if safe else _unpickled(path)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (SafetensorError, *TORCH_LOAD_ERRORS) as error:
        raise _unusable(path, f"cannot be read: {_first_line(error)}") from error
    return WeightFile(_named(_unwrapped(loaded, path), path), digest)


def _unpickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error) and "Weights only" not in str(error):
            raise
        named = _OBJECT.search(str(error))
        what = f"Python objects{f' ({named[1]})' if named else ''} beside tensors"
        raise _code(path, f"holds {what}") from error
    except RuntimeError as error:
        if "TorchScript" not in str(error):
            raise
        raise _code(path, "is a TorchScript program") from error


def _code(path: Path, what: str) -> UnusableWeights:
    """Refuses a file that could run code; the hint says how to extract its tensors."""
    return _unusable(
        path,
        f"{what}; loading it could run code, so it is refused. Only tensors are accepted",
        "Save model.state_dict() as safetensors where the network was trained. If you trust the "
        "source of the file, extract its weights in Python: "
        f"{CONVERSION.format(old=path.name, new=f'{path.stem}{weight_files.SAFETENSORS}')}",
    )


def _unwrapped(loaded: Any, path: Path) -> Mapping[Any, Any]:
    if isinstance(loaded, Mapping):
        if any(isinstance(value, Tensor) for value in loaded.values()):
            return loaded
        for key in WRAPPERS:
            if isinstance(loaded.get(key), Mapping):
                return _unwrapped(loaded[key], path)
    what = type(loaded).__name__
    if isinstance(loaded, Mapping):
        what += f" with the keys {', '.join(repr(key) for key in list(loaded)[:8]) or '(none)'}"
    raise _unusable(
        path,
        f"holds no state_dict but a {what}",
        "Give a dictionary of tensors by name, at the top level or under 'state_dict' or 'model'.",
    )


def _named(entries: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    odd = [key for key, value in entries.items() if not isinstance(value, Tensor)]
    odd += [key for key in entries if not isinstance(key, str)]
    if odd:
        raise _unusable(
            path,
            f"holds entries that are not named tensors: {', '.join(map(repr, odd[:3]))}",
            "Save only the weights: torch.save(model.state_dict(), path), or as safetensors.",
        )
    found = dict(entries)
    for prefix in PREFIXES * 2:  # one may stand before the other
        if all(name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _unusable(path: Path, what: str, hint: str = "Save or copy it again.") -> UnusableWeights:
    return UnusableWeights(f"{path.name!r} {what}.", field="init.file", hint=hint)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
