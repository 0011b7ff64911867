"""recede.gate: the same network at first, whose importances recede in any loop."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import recede
from recede.contract.errors import InvalidInput, UnknownName
from tests.backend.sdk.watched import Small, Training, images


def given() -> Small:
    """A network with scales, biases and statistics as after some training."""
    training = Training()
    for _ in range(3):
        training.epoch()
    return training.model


def gated(**more) -> tuple[nn.Module, recede.Gates]:
    model = given()
    return model, recede.gate(model, images(), **more)


def test_the_outputs_are_those_of_before_to_the_last_bit():
    model, _ = gated()
    assert torch.equal(model.eval()(images()), given().eval()(images()))


class Maps(Small):
    """Gives maps, and scores beside them."""

    def forward(self, x_NCHW):
        maps = self.body(x_NCHW)
        return {"maps": maps[:, :3], "scores": self.head(maps.mean((2, 3)))}


def test_a_network_that_gives_maps_is_gated_and_cut_like_any_other():
    torch.manual_seed(0)
    model = Maps().eval()
    before = model(images())
    gates = recede.gate(model, images())
    assert all(map(torch.equal, model(images()).values(), before.values()))
    with torch.no_grad():
        gates.parameters()[0][:4] = -20.0
    small = recede.cut(model, images(), {"threshold": 0.001})
    assert small.body[0].out_channels == 4
    torch.testing.assert_close(small(images()), model(images()), rtol=1e-4, atol=1e-5)


def test_every_process_draws_the_same_gates():
    (_, ours), (_, theirs), (_, others) = gated(), gated(), gated(seed=1)
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))
    assert not torch.equal(ours.parameters()[0], others.parameters()[0])


def test_the_penalty_is_rnis_sum_over_all_gates():
    _, gates = gated()
    s_N = torch.sigmoid(torch.cat(gates.parameters()) + 3)
    wanted = 0.2 * (s_N * (1 - s_N.log())).sum()
    torch.testing.assert_close(gates.penalty("rni", lam=0.2, shift=3.0), wanted)
    torch.testing.assert_close(gates.penalty("rni", steps=625, shift=3.0), wanted)


def test_in_a_loop_of_ones_own_weak_neurons_recede_and_go_without_loss():
    model, gates = gated()
    logits = {id(weight) for weight in gates.parameters()}
    others = [weight for weight in model.parameters() if id(weight) not in logits]
    groups = [{"params": others}, {"params": gates.parameters(), "lr": 2.0}]
    optimiser = torch.optim.SGD(groups, 0.05)
    labels = torch.arange(16) % 3
    for _ in range(60):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(images()), labels)
        (loss + gates.penalty("rni", lam=0.5)).backward()
        optimiser.step()
    weak = float((torch.cat(gates.parameters()) < -5).float().mean())
    assert weak > 0.2
    small = recede.cut(model, images(), {"threshold": 0.01})
    assert sum(p.numel() for p in small.parameters()) < sum(
        p.numel() for p in given().parameters()
    )
    with torch.no_grad():
        drift = (small(images()) - model.eval()(images())).abs().max()
    assert drift < 0.05
    assert not any("gamma" in name for name in recede.fold(model).state_dict())


@pytest.mark.parametrize(
    ("method", "params", "error", "said"),
    [
        ("l1", {}, InvalidInput, "ordinary batch norms"),
        ("rnn", {}, UnknownName, "rni"),
        ("rni", {"lambda": 1}, UnknownName, "lam"),
        ("rni", {"lam": -1}, InvalidInput, "between"),
    ],
)
def test_a_wrong_penalty_is_refused_in_words(method, params, error, said):
    _, gates = gated()
    with pytest.raises(error, match=said):
        gates.penalty(method, **params)


def test_a_network_is_gated_once_and_one_that_cannot_be_stays_as_it_was():
    model, _ = gated()
    with pytest.raises(InvalidInput, match="has gates"):
        recede.gate(model, images())
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(InvalidInput, match="BatchNorm2d"):
        recede.gate(plain, images())
    assert [type(module) for module in plain] == [nn.Flatten, nn.Linear]


def test_a_gated_training_is_watched_like_any_other(tmp_path):
    model, gates = gated()
    run = recede.watch(model, images(), folder=tmp_path / "run")
    assert run.folder is not None
    run.finish()
    from recede.sdk.recording.reading import Recording

    shape = Recording(run.folder).begun.network
    assert shape is not None
    assert shape.scale == "bounded"
    assert shape.n_neurons == sum(weight.numel() for weight in gates.parameters())
