"""recede.serve: cuts of a recorded training, measured later from the weights that it kept."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch import nn

import recede
from recede.client import RecedeClient
from recede.contract.cut.selection import select
from recede.contract.errors import Conflict, InvalidInput
from recede.contract.spec.run import Plan
from recede.contract.states import State
from recede.sdk.network.masked import ALL, PATIENCE
from recede.sdk.recording.lines import LINES
from recede.sdk.recording.reading import Recording, UnusableRecording
from recede.sdk.sending.delivery import Delivery
from recede.sdk.serving.curve import EvaluateFailed
from tests.backend.sdk.watched import Small, Training, images


def output(model) -> float:
    """A number that tells networks apart; evaluate is asked in evaluation mode."""
    assert not model.training
    return float(model(images()).sum().detach())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder of a training of three epochs, of which the second is the best."""
    folder = tmp_path_factory.mktemp("recorded") / "birds"
    training = Training()
    with recede.watch(training.model, images(), folder=folder, metric="score") as run:
        for epoch, score in ((1, 0.5), (2, 0.9), (3, 0.1)):
            training.epoch()
            run.log(epoch, score=score)
    return folder


@pytest.fixture
def folder(recorded, tmp_path):
    """A copy of it."""
    return shutil.copytree(recorded, tmp_path / "birds")


def network_of(folder, epoch) -> nn.Module:
    """The network of an epoch, made of the kept weights alone."""
    from safetensors.torch import load_file

    model = Small()
    model.load_state_dict(load_file(folder / Recording(folder).weights[epoch]))
    return model


def test_the_points_are_what_cut_networks_of_the_kept_weights_give(folder, capsys):
    model = Small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = recede.serve(folder, model, output)
    assert list(found) == [2, 3]  # the best one and the last one
    recording = Recording(folder)
    for epoch in found:
        assert list(found[epoch]) == sorted(ALL)
        assert found[epoch] == {ratio: one.value for ratio, one in recording.cuts[epoch].items()}
        for ratio in (0.0, 0.3, 0.75):
            cut = recede.cut(network_of(folder, epoch), images(), ratio)
            assert found[epoch][ratio] == pytest.approx(output(cut), rel=1e-4)
            plan = Plan(epoch=epoch, ratio=ratio)
            selection = select(recording.begun.network, recording.scales(epoch), plan)
            assert recording.cuts[epoch][ratio].digest == selection.digest
    assert len(capsys.readouterr().err.splitlines()) == 2 * len(ALL)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training


def test_it_goes_on_where_it_was_stopped(folder, capsys):
    asked = []

    def stopped(model) -> float:
        asked.append(1)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return output(model)

    known = recede.serve(folder, Small(), stopped, epochs=[3])
    assert len(known[3]) == 4
    assert "goes on where it was" in capsys.readouterr().err
    with (folder / LINES).open("ab") as lines:
        lines.write(b'{"at":1,"kind":"measured","epo')  # as a crash leaves it
    asked[:] = [1] * 5
    whole = recede.serve(folder, Small(), stopped, epochs=[3])
    assert len(asked) == 5 + len(ALL) - 4
    assert known[3].items() <= whole[3].items()
    recede.serve(folder, Small(), stopped, epochs=[3])
    assert len(asked) == 5 + len(ALL) - 4


def test_a_training_that_still_writes_is_left_alone(tmp_path):
    training = Training()
    run = recede.watch(training.model, images(), folder=tmp_path, metric="score")
    run.log(1, score=1)
    text = (tmp_path / LINES).read_bytes()
    with pytest.raises(Conflict, match="Another process writes into"):
        recede.serve(tmp_path, training.model, output)
    assert (tmp_path / LINES).read_bytes() == text
    run.log(2, score=2)
    run.finish()
    assert Recording(tmp_path).finished


def test_a_killed_training_does_not_live_again_while_it_is_measured(folder):
    lines = (folder / LINES).read_bytes().splitlines(keepends=True)
    (folder / LINES).write_bytes(b"".join(line for line in lines if b'"finished"' not in line))
    alive = []

    def watching(model) -> float:
        alive.append(Recording(folder).is_written)
        return output(model)

    found = recede.serve(folder, Small(), watching, epochs=[1])
    assert len(found[1]) == len(ALL)
    assert not any(alive)
    run = recede.watch(Small(), images(), folder=folder, metric="score", resume=True)
    assert (run.folder, Recording(folder).is_written) == (folder, True)
    run.finish()


def test_its_points_are_the_curve_of_the_run(live, folder):
    recording = Recording(folder)
    with RecedeClient(live) as service:
        Delivery(service, recording).send()
        run_id = service.recording(recording.begun.key).run_id
        assert service.curve(run_id).values == []
        found = recede.serve(folder, Small(), output, epochs=[2])
        Delivery(service, recording).send()
        curve = service.curve(run_id)
        assert service.run(run_id).state is State.SUCCEEDED
    assert {one.ask: one.value for one in curve.values} == pytest.approx(found[2])


@pytest.mark.parametrize("answer", [float("nan"), "good", ZeroDivisionError("no images")])
def test_an_evaluate_that_fails_is_given_up_in_words(folder, capsys, answer):
    asked = []

    def failing(model):
        asked.append(1)
        if len(asked) == 1:
            return 1.0
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(EvaluateFailed, match=f"failed {PATIENCE} times in a row") as raised:
        recede.serve(folder, Small(), failing, epochs=[2])
    assert raised.value.__cause__ is not None
    assert len(asked) == 1 + PATIENCE
    assert capsys.readouterr().err.count("evaluate failed") == PATIENCE
    assert list(Recording(folder).cuts[2]) == [0.0]
    assert not Recording(folder).is_written


def test_one_failure_costs_one_cut(folder):
    asked = []

    def once(model) -> float:
        asked.append(1)
        return float("nan") if len(asked) == 2 else output(model)

    assert set(ALL) - set(recede.serve(folder, Small(), once, epochs=[2])[2]) == {ALL[1]}
    assert set(ALL) == set(recede.serve(folder, Small(), once, epochs=[2])[2])


class Wider(nn.Module):
    """The same layers, of another width, and one more."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 9, 3, padding=1), nn.BatchNorm2d(9))
        self.neck = nn.Linear(9, 3)


def test_the_layers_of_another_network_are_named(folder):
    text = (folder / LINES).read_bytes()
    with pytest.raises(InvalidInput, match="not the network that was recorded") as raised:
        recede.serve(folder, Wider(), output)
    for words in ("lacks body.3", "has besides neck.bias, neck.weight", "body.0.bias ((9,)"):
        assert words in raised.value.message
    assert (folder / LINES).read_bytes() == text


class Reversed(Small):
    """The same tensors, of which the first norm comes last."""

    def forward(self, x_NCHW):
        conv, norm, relu, other, its_norm, its_relu = self.body
        x_NCHW = its_relu(other(relu(conv(x_NCHW))))
        return self.head(self.drop(its_norm(x_NCHW).mean((2, 3)) + 0 * norm.weight.sum()))


def test_a_network_that_can_be_cut_elsewhere_is_refused(folder):
    with pytest.raises(InvalidInput, match="can be cut in other places"):
        recede.serve(folder, Reversed(), output)


def test_gates_must_be_put_on_as_the_training_did(tmp_path):
    model = Small()
    recede.gate(model, images())
    with recede.watch(model, images(), folder=tmp_path, metric="score") as run:
        run.log(1, score=1)
    with pytest.raises(InvalidInput) as raised:
        recede.serve(tmp_path, Small(), output)
    assert "recede.gate" in raised.value.hint
    again = Small()
    recede.gate(again, images(), seed=1)
    found = recede.serve(tmp_path, again, output)
    assert found[1][0.5] == pytest.approx(output(recede.cut(model, images(), 0.5)), rel=1e-4)


def test_what_cannot_be_served_is_said(folder, tmp_path):
    with pytest.raises(UnusableRecording, match="holds no recording"):
        recede.serve(tmp_path / "none", Small(), output)
    with pytest.raises(InvalidInput, match=r"evaluate was 0\.5"):
        recede.serve(folder, Small(), 0.5)
    with pytest.raises(InvalidInput, match="epoch 7 were not recorded; kept are those of epoch 0"):
        recede.serve(folder, Small(), output, epochs=[2, 7])
    (folder / Recording(folder).weights[2]).write_bytes(b"torn")
    with pytest.raises(UnusableRecording, match="cannot be read"):
        recede.serve(folder, Small(), output)


def test_a_recording_without_metric_or_weights_says_so(tmp_path):
    with recede.watch(Small(), images(), folder=tmp_path / "a"):
        pass
    with pytest.raises(InvalidInput, match="no metric"):
        recede.serve(tmp_path / "a", Small(), output)
    with recede.watch(Small(), images(), folder=tmp_path / "b", metric="score"):
        pass
    text = (tmp_path / "b" / LINES).read_text().splitlines(keepends=True)
    (tmp_path / "b" / LINES).write_text("".join(line for line in text if '"kept"' not in line))
    with pytest.raises(InvalidInput, match="keeps no weights"):
        recede.serve(tmp_path / "b", Small(), output)
