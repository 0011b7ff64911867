"""One network of each family that holds layers Recede does not know, cut as it is masked.

`python -m benchmarks.coverage` tries them all.
"""

from __future__ import annotations

import pytest
import torch

from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.graph.trace import trace
from recede_worker.networks.tracing import TracingOptions, tracing_with
from recede_worker.plugins.registry import architectures
from recede_worker.process.limits import Limits
from tests.worker.core.networks import CLASSES, TRACED, assert_cuts_are_exact, enliven

IMAGES, SIZE = 2, 64
FIRST = ("mobilevit_xxs", "resnetblur18")
FAMILIES = {
    "mobilevit_xxs": "LayerNorm",
    "resnetblur18": "multiplies",
    "ecaresnet26t": "Conv1d",
    "efficientvit_b0": "multiplies",
    "gcresnet33ts": "LayerNorm2d",
    "efficientvim_m1": "stays whole",
}
"""timm's name → a word of the reasons for what stays whole."""
every_family = pytest.mark.parametrize(
    "model",
    [pytest.param(m, marks=() if m in FIRST else pytest.mark.thorough) for m in FAMILIES],
)


@pytest.mark.skipif("timm" not in TRACED, reason="timm is not installed")
@every_family
def test_what_is_not_known_stays_whole_and_every_cut_is_exact_and_costs_what_was_said(model):
    architecture = architectures()["timm"]
    with tracing_with(TracingOptions(limits=Limits(memory_gb=0))):
        config = architecture.config(3, CLASSES, SIZE, {"model": model}, "all")
        assert FAMILIES[model] in " ".join(architecture.left_out(config).values())
    norms = architecture.norms(config)
    images = torch.randn(IMAGES, 3, SIZE, SIZE, dtype=torch.float64)
    network = enliven(architecture.build(config).double(), images)
    traced = trace(network, (3, SIZE, SIZE))
    shape = network_shape(
        network,
        architecture=model,
        norms=norms,
        input_shape=(3, SIZE, SIZE),
        classes=CLASSES,
        scale="plain",
        traced=traced,
    )
    assert any(op.kind == "fixed" for op in shape.ops)
    assert_cuts_are_exact(Surgeon(network, shape, norms, traced), shape, images, times=1)
