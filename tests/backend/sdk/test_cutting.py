"""recede.cut and recede.fold: the smaller network of somebody's own training."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

import recede
from recede.contract.errors import ImpossiblePlan, InvalidInput, UnknownName
from recede.contract.spec.run import Plan
from recede.sdk.cutting import CutNotProven


class Small(nn.Module):
    """Two convolutions with batch norm, and a shortcut around the second."""

    def __init__(self, answer=lambda scores, images: scores) -> None:
        super().__init__()
        self.answer = answer
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.inner = nn.Sequential(
            nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Conv2d(24, 16, 3, padding=1), nn.BatchNorm2d(16),
        )  # fmt: skip
        self.head = nn.Linear(16, 5)

    def forward(self, images):
        x = self.stem(images)
        return self.answer(self.head((x + self.inner(x)).mean((2, 3))), images)


def trained(**more) -> Small:
    """With scales and statistics as after some training."""
    torch.manual_seed(0)
    model = Small(**more)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    with torch.no_grad():
        for _ in range(3):
            model.train()(images())
    return model


def images(n: int = 8) -> torch.Tensor:
    return torch.randn(n, 3, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("plan", [0.5, {"ratio": 0.5}, Plan(ratio=0.5)])
def test_the_weakest_neurons_go_and_the_model_stays_as_it_is(plan):
    model = trained()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    small = recede.cut(model, images(), plan)
    assert small.inner[0].out_channels == 12
    assert small.inner[3].in_channels == 12
    assert model.training
    assert not small.training
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    kept = model.inner[1].weight.detach().abs().topk(12).values.sort().values
    assert torch.equal(small.inner[1].weight.detach().abs().sort().values, kept)


def test_it_computes_what_the_network_without_those_channels_does():
    model = trained()
    small = recede.cut(model, images(), 0.5)
    weak = model.inner[1].weight.detach().abs().argsort()[:12]
    with torch.no_grad():
        model.inner[1].weight[weak] = 0.0
        model.inner[1].bias[weak] = 0.0
        wanted, found = model.eval()(images()), small(images())
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    found.sum().backward() if found.requires_grad else small(images()).sum().backward()
    assert small.head.weight.grad is not None  # it can be trained on


def test_channels_that_shortcuts_join_shrink_together_where_it_is_asked_for():
    small = recede.cut(trained(), images(), {"ratio": 0.25}, prunable="all")
    width = small.stem[0].out_channels
    assert small.inner[3].out_channels == small.head.in_features == width < 16


def test_a_threshold_keeps_what_lies_above_it():
    model = trained()
    small = recede.cut(model, images(), {"threshold": 0.7})
    assert small.inner[0].out_channels == int((model.inner[1].weight.abs() > 0.7).sum())


def test_bounded_batch_norms_are_ranked_by_their_bounded_scale_and_folded():
    from recede_worker.core.norms.bounded import bound

    model = trained()
    bound(model, ["inner.1"])
    with torch.no_grad():
        model.inner[1].weight[:6] = -20.0
    small = recede.cut(model, images(), {"threshold": 0.001})
    assert small.inner[0].out_channels == 18
    assert type(small.inner[1]) is nn.BatchNorm2d
    plain = recede.fold(model)
    with torch.no_grad():
        torch.testing.assert_close(plain.eval()(images()), model.eval()(images()))
        torch.testing.assert_close(small(images()), plain(images()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("plan", "error", "words"),
    [
        (1.5, InvalidInput, "ratio"),
        (float("nan"), InvalidInput, "ratio"),
        ({"ratio": 0.5, "threshold": 0.1}, InvalidInput, "one of the two"),
        ({"ratios": 0.5}, InvalidInput, "ratios"),
        ({"ratio": 0.5, "locks": ("nowhere",)}, UnknownName, "nowhere"),
        ({"ratio": 0.5, "criterion": "taylor"}, InvalidInput, "scales alone rank"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_in_words(plan, error, words):
    with pytest.raises(error, match=words):
        recede.cut(trained(), images(), plan)


@pytest.mark.parametrize("inputs", [torch.zeros(3, 12, 12), torch.zeros(0, 3, 12, 12), [1, 2]])
def test_inputs_that_are_no_images_are_refused_in_words(inputs):
    with pytest.raises(InvalidInput, match=r"a tensor \(N, C, H, W\) with at least one image"):
        recede.cut(trained(), inputs, 0.5)


class Mapper(Small):
    """Gives maps of what it sees, and more."""

    def forward(self, images):
        x = self.stem(images)
        hidden = self.inner[:3](x)
        maps = self.head((x + self.inner[3:](hidden)).movedim(1, 3)).movedim(3, 1)
        return self.answer(maps, hidden)


@pytest.mark.parametrize(
    "answer",
    [
        lambda maps, _: maps,
        lambda maps, _: {"out": maps, "class": maps.mean((2, 3)), "at": maps.argmax(1)},
        lambda maps, _: (maps, [maps[:, 0], None], 1.0, torch.ones(3)),
    ],
    ids=["maps", "dict", "nested"],
)
def test_networks_that_give_maps_tuples_or_dicts_are_cut(answer):
    model = Mapper(answer)
    nn.init.normal_(model.inner[1].weight)
    folded = recede.cut(model, images(), {"ratio": 0.5, "bias": "fold"})
    small = recede.cut(model, images(), 0.5)
    assert type(small) is type(folded) is Mapper
    assert small.inner[0].out_channels == folded.inner[0].out_channels == 12
    weak = model.inner[1].weight.detach().abs().argsort()[:12]
    with torch.no_grad():
        model.inner[1].weight[weak] = 0.0
        model.inner[1].bias[weak] = 0.0
        wanted, found = model.eval()(images()), small(images())
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (lambda maps, _: [{"boxes": maps[0, 0]}], InvalidInput, "a row for each image"),
        (lambda maps, _: (maps, object()), InvalidInput, "The model gives a object; tensors"),
        (
            lambda maps, hidden: (maps, hidden.mean((0, 2, 3))),
            CutNotProven,
            r"shapes \[\(8, 5, 12, 12\), \(12,\)\], the masked one .* \(24,\)\]",
        ),
        (
            lambda maps, hidden: (maps, hidden.mean((0, 1, 2, 3))),
            CutNotProven,
            "differs from the masked one",
        ),
    ],
    ids=["chosen boxes", "an object", "hidden channels", "a mean of them"],
)
def test_what_cannot_be_compared_or_differs_is_not_given_out(answer, error, words):
    torch.manual_seed(0)
    model = Mapper(answer).eval()
    nn.init.normal_(model.inner[1].weight)
    with pytest.raises(error, match=words):
        recede.cut(model, images(), 0.5)


def test_scales_that_are_not_finite_rank_nothing():
    model = trained()
    with torch.no_grad():
        model.inner[1].weight[0] = torch.nan
    with pytest.raises(ImpossiblePlan, match="not finite"):
        recede.cut(model, images(), 0.5)


class TopChannels(nn.Module):
    """Goes on with its eight highest channels: a masked one, 0, may be among them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16))
        self.head = nn.Linear(8, 5)

    def forward(self, images):
        return self.head(self.stem(images).topk(8, 1).values.mean((2, 3)))


def test_a_cut_that_is_not_what_the_mask_is_is_not_given_out():
    torch.manual_seed(0)
    with pytest.raises((CutNotProven, InvalidInput), match=r"differs|Nothing of this network"):
        recede.cut(TopChannels().eval(), images(), 0.4)


def test_without_torch_the_package_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import recede\n"
        "try:\n    recede.cut\n"
        "except ImportError as error:\n    print(error)\n"
        "try:\n    recede.nothing\n"
        "except AttributeError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "recede.cut needs PyTorch" in done.stdout
    assert "recede[worker]" in done.stdout
    assert "has no attribute 'nothing'" in done.stdout
