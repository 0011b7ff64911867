"""An INT8 network in which one layer computes in float, to see what its quantisation costs.

A layer of a QDQ graph reads X → QuantizeLinear → DequantizeLinear → … and weights through a
DequantizeLinear of their own. In float it reads its float weights, and what rounds its input
between the layers before and itself is replaced by clipping to the same range: that keeps a
ReLU which onnxruntime expressed by the range.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
JOINTS = ("Add", "Concat", "Mul", "Sub", "Sum")
"""Operators with several inputs; beyond the first of them on the way back no rounding goes."""


class QuantisedNetwork:
    """The INT8 file beside the float one that it was made of."""

    def __init__(self, quantised: Path, source: Path) -> None:
        onnx = importlib.import_module("onnx")
        self._helper = importlib.import_module("onnx.numpy_helper")
        self._graph = onnx.load(quantised)
        source_graph = onnx.load(source).graph
        self._weights = {tensor.name: tensor for tensor in source_graph.initializer}
        self._float = {node.name: node for node in source_graph.node}

    def layers(self) -> dict[str, str]:
        """Name of the layer, as in the state_dict → its node, in the order of computation."""
        found = {}
        for node in self._graph.graph.node:
            original = self._float.get(node.name)
            if original is not None and node.op_type in LAYERS and self._is_quantised(node):
                weights = [name for name in original.input if name in self._weights]
                name = weights[0].removesuffix(".weight") if weights else node.name
                found[name] = node.name
        return found

    def with_float(self, node_name: str) -> bytes:
        """The file's content with this one layer in float."""
        model = type(self._graph)()
        model.CopyFrom(self._graph)
        graph = model.graph
        makers = {output: node for node in graph.node for output in node.output}
        layer = next(node for node in graph.node if node.name == node_name)
        for place, name in enumerate(self._float[node_name].input):
            if name in self._weights:
                self._give_float(graph, layer, place, name)
        numbers = {tensor.name: tensor for tensor in graph.initializer}
        for quantize, dequantize in list(_pairs(layer.input[0], makers, joints=1)):
            self._clip_only(graph, quantize, dequantize, numbers)
        content: bytes = model.SerializeToString()
        return content

    def _is_quantised(self, node: Any) -> bool:
        return any(name.endswith("_DequantizeLinear_Output") for name in node.input)

    def _give_float(self, graph: Any, layer: Any, place: int, name: str) -> None:
        weights = graph.initializer.add()
        weights.CopyFrom(self._weights[name])
        weights.name = f"{name}_float"
        layer.input[place] = weights.name

    def _clip_only(self, graph: Any, quantize: Any, dequantize: Any, numbers: Any) -> None:
        """Make the pair a Clip to its range."""
        scale = self._helper.to_array(numbers[quantize.input[1]])
        zero = self._helper.to_array(numbers[quantize.input[2]])
        levels = np.iinfo(zero.dtype)
        names = []
        for end, level in (("low", levels.min), ("high", levels.max)):
            bound = (scale * (level - zero.astype(np.int32))).astype(scale.dtype)
            names.append(f"{dequantize.name}_{end}")
            graph.initializer.append(self._helper.from_array(bound, names[-1]))
        dequantize.op_type = "Clip"
        del dequantize.attribute[:]
        del dequantize.input[:]
        dequantize.input.extend([quantize.input[0], *names])


def _pairs(tensor: str, makers: dict[str, Any], joints: int) -> Iterator[tuple[Any, Any]]:
    """QuantizeLinear and DequantizeLinear on the way back to the layers before."""
    maker = makers.get(tensor)
    if maker is None or maker.op_type in LAYERS:
        return
    if maker.op_type == "DequantizeLinear":
        quantize = makers.get(maker.input[0])
        if quantize is not None and quantize.op_type == "QuantizeLinear":
            yield quantize, maker
            yield from _pairs(quantize.input[0], makers, joints)
        return
    is_joint = maker.op_type in JOINTS
    if is_joint and joints == 0:
        return
    for name in maker.input if is_joint else maker.input[:1]:
        yield from _pairs(name, makers, joints - is_joint)
