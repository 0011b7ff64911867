"""Which layers a loss of accuracy comes from: each is put back into float, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from recede_worker.engine.checkpoints.onnx_file import OnnxNetwork
from recede_worker.engine.evaluation.accuracy import Evaluation, evaluate
from recede_worker.engine.inputs.splits import Normalisation, Split
from recede_worker.engine.quantisation.float_layer import QuantisedNetwork

BUDGET_S = 60.0
"""After this no further layer is tried."""
LEAST_IMAGES = 200
"""So many, if the split has them, however long a layer takes."""

Report = Callable[[int, int, str], None]
"""Takes how many layers are done, of how many, and which comes next; may raise to stop."""


def rank_layers(
    files: tuple[Path, Path],
    split: Split,
    normalise: Normalisation,
    whole: Evaluation,
    report: Report,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """How many of the split's images are right when one layer stays in float, best first.

    `files` are the INT8 network and the float one that it was made of, `whole` is what the INT8
    network does on the whole split. As many images are taken as fit the time, drawn by a fixed
    seed; where not even the least number fits for all layers, the first layers are tried.
    """
    network = QuantisedNetwork(*files)
    layers = network.layers()
    per_image_s = whole.seconds / whole.n
    fitting = int(BUDGET_S / max(1, len(layers)) / max(per_image_s, 1e-9))
    n = min(len(split), max(LEAST_IMAGES, fitting))
    chosen_N = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:n]
    chosen_N = chosen_N.sort().values
    part = split.pick(chosen_N)
    labels_N = split.y_N.cpu()[chosen_N]
    before = int((whole.predicted_N[chosen_N] == labels_N).sum())
    ranked: list[tuple[int, str]] = []
    started = clock()
    for done, (name, node) in enumerate(layers.items()):
        if done and clock() - started > BUDGET_S:
            break
        tell = partial(report, done, len(layers), name)
        tell()
        model = OnnxNetwork(network.with_float(node))
        ranked.append((evaluate(model, part, normalise, tell).correct, name))
    ranked.sort(key=lambda entry: -entry[0])
    return {
        "images": n,
        "of": "validation images",
        "correct": before,
        "tried": len(ranked),
        "layers_in_all": len(layers),
        "in_float": [{"layer": name, "correct": correct} for correct, name in ranked],
    }
