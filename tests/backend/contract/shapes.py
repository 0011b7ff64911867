"""Networks as pure data, and strategies that draw snapshots and plans for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from recede.contract.cut.selection import FloatArray
from recede.contract.network.shape import (
    Group,
    NetworkShape,
    Op,
)


def shape_of(sizes: list[int], scale: str = "bounded", minimum: int = 3) -> NetworkShape:
    """A chain of 3×3 convolutions with batch norm and a linear layer, on 4×4 images."""
    ops, before, source = [], 3, None
    for index, size in enumerate(sizes):
        ops.append(
            Op(
                name=f"conv{index}",
                kind="conv",
                fan_in=before,
                fan_out=size,
                source=source,
                target=index,
                kernel=9,
                positions=16,
            )
        )
        ops.append(Op(name=f"bn{index}", kind="norm", fan_in=size, fan_out=size, target=index))
        before, source = size, index
    ops.append(
        Op(name="linear", kind="linear", fan_in=before, fan_out=5, source=source, bias=True)
    )
    return NetworkShape(
        architecture="chain",
        groups=tuple(
            Group(name=f"conv{i}", size=size, minimum=min(minimum, size))
            for i, size in enumerate(sizes)
        ),
        ops=tuple(ops),
        input_shape=(3, 4, 4),
        classes=5,
        scale=scale,  # type: ignore[arg-type]
    )


sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)
scales = st.sampled_from(["bounded", "plain"])
ratios = st.floats(0, 0.999)
# Few different numbers, so that ties are frequent; the extremes that training reaches.
numbers = st.one_of(
    st.sampled_from([-1e4, -3.0, -0.5, 0.0, 0.5, 3.0, 1e4]),
    st.floats(-20, 20, width=32),
)


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[NetworkShape, FloatArray]:
    """A network and the raw scale of each of its neurons."""
    shape = shape_of(draw(sizes), draw(scales))
    n = shape.n_neurons
    raw = draw(st.lists(numbers, min_size=n, max_size=n))
    return shape, np.array(raw, dtype=np.float32)
