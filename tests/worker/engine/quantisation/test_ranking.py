"""INT8 files: small, close, loadable alone; a loss is traced to the layer that causes it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import onnx
import pytest

from recede_worker.engine.checkpoints.onnx_file import OnnxNetwork
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.quantisation import ranking
from recede_worker.engine.quantisation.float_layer import QuantisedNetwork
from recede_worker.engine.quantisation.measured import in_words
from tests.worker.engine.quantisation.digits_network import NORMALISE, Files, written

ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("recede", "recede_worker", "torch", "onnx", "safetensors"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
for n in (1, 3):
    found = session.run(None, {"images": numpy.zeros((n, 1, 8, 8), numpy.float32)})[0]
    assert found.shape == (n, 10)
"""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Files:
    return written(tmp_path_factory.mktemp("healthy"), suffers=False)


@pytest.fixture(scope="module")
def suffering(tmp_path_factory) -> Files:
    return written(tmp_path_factory.mktemp("suffering"), suffers=True)


def ranked(files: Files, report=lambda *_: None, clock=None, images=None):
    split = files.rest if images is None else files.rest.pick(images)
    whole = evaluate(OnnxNetwork(files.target), split, NORMALISE)
    extra = {} if clock is None else {"clock": clock}
    return ranking.rank_layers(
        (files.target, files.source), split, NORMALISE, whole, report, **extra
    )


def test_weights_are_int8_by_channel_and_the_metadata_stay(healthy):
    model = onnx.load(healthy.target)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = tensors["c.weight_quantized"]
    assert weights.data_type == onnx.TensorProto.INT8
    assert list(tensors["c.weight_scale"].dims) == [16]
    activations = {tensors[node.input[2]].data_type for node in model.graph.node
                   if node.op_type == "QuantizeLinear"}  # fmt: skip
    assert activations == {onnx.TensorProto.UINT8}
    assert {entry.key for entry in model.metadata_props} >= {"classes"}
    assert {domain.domain for domain in model.opset_import} <= {"", "ai.onnx"}


def test_the_file_opens_with_onnxruntime_alone(healthy):
    answer = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", ALONE, str(healthy.target)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr


def test_calibration_is_repeatable(healthy, tmp_path):
    again = written(tmp_path, suffers=False)
    assert again.target.read_bytes() == healthy.target.read_bytes()


def test_a_loss_is_traced_to_the_one_layer_that_causes_it(suffering):
    whole = evaluate(OnnxNetwork(suffering.source), suffering.rest, NORMALISE)
    found = ranked(suffering)
    assert whole.correct - found["correct"] > 0.2 * whole.n
    best, *others = found["in_float"]
    assert best["layer"] == "c"
    assert abs(best["correct"] - whole.correct) <= 0.01 * whole.n
    assert all(one["correct"] - found["correct"] <= 0.01 * whole.n for one in others)
    assert (found["tried"], found["layers_in_all"]) == (5, 5)
    assert "c +" in in_words(found)


def test_scores_are_neither_rounded_nor_clipped(healthy):
    model = onnx.load(healthy.target)
    (last,) = [node for node in model.graph.node if "scores" in node.output]
    assert last.op_type == "Gemm"


def test_layer_after_layer_in_float_ends_at_the_float_network(healthy):
    network = QuantisedNetwork(healthy.target, healthy.source)
    assert list(network.layers()) == ["a", "b", "c", "d", "head"]
    x_NCHW = NORMALISE.apply(healthy.rest.head(64))
    wanted = OnnxNetwork(healthy.source)(x_NCHW)

    def distance(content) -> float:
        return float((OnnxNetwork(content)(x_NCHW) - wanted).abs().mean())

    rounded = distance(healthy.target)
    single = [distance(network.with_float(node)) for node in network.layers().values()]
    assert len(set(single)) == 5
    assert 0 < min(single) < rounded
    for node in network.layers().values():
        content = network.with_float(node)
        network._graph = onnx.load_from_string(content)
    # Left is clipping to the calibrated ranges, and rounding beyond the joint.
    assert distance(content) < min(single) / 2


def seconds(*values: float) -> Iterator[float]:
    yield from values
    while True:
        yield values[-1]


def test_the_search_ends_in_time_and_says_what_it_tried(suffering):
    moments = seconds(0.0, 0.0, ranking.BUDGET_S + 1)
    found = ranked(suffering, clock=lambda: next(moments))
    assert found["tried"] == len(found["in_float"]) == 2
    assert found["layers_in_all"] == 5
    assert "2 of 5 layers tried" in in_words(found)


def test_slow_networks_are_ranked_on_fewer_images(suffering, monkeypatch):
    monkeypatch.setattr(ranking, "BUDGET_S", 1e-6)
    clock = seconds(0.0)
    found = ranked(suffering, clock=lambda: next(clock))
    assert found["images"] == ranking.LEAST_IMAGES < len(suffering.rest)
    assert found["in_float"][0]["layer"] == "c"


def test_progress_names_the_layer_and_can_stop_the_search(suffering):
    told: list[tuple[int, int, str]] = []

    def report(done: int, total: int, layer: str) -> None:
        told.append((done, total, layer))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        ranked(suffering, report)
    assert [name for _, _, name in dict.fromkeys(told)] == ["a", "b", "c"]


def test_a_network_in_which_no_single_layer_helps_says_so():
    found = {"correct": 5, "images": 9, "tried": 1, "layers_in_all": 1,
             "in_float": [{"layer": "a", "correct": 5}]}  # fmt: skip
    assert in_words(found).startswith("No single layer in float")
