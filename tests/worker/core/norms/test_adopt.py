"""Taking over plain weights: the same function where there is one, and counts of what is lost."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recede_worker.core.norms.adopt import (
    HIGHEST,
    LOWEST,
    SATURATED,
    Adopted,
    WrongWeights,
    adopt,
    logits,
)
from recede_worker.core.norms.bounded import BoundedBatchNorm2d, bound
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.initialise import freeze_redundant_biases
from recede_worker.networks.family import Architecture
from recede_worker.plugins.registry import architectures
from tests.worker.core.networks import (
    CLASSES,
    enliven,
    image_size,
    narrow_config,
)

SMALL = "vgg11"
EXAMPLES = (SMALL, "resnet20")  # with a bias before each norm, and without
Weights = dict[str, torch.Tensor]


def images(architecture: Architecture) -> torch.Tensor:
    size = image_size(architecture)
    return torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(7))


def fresh(architecture: Architecture, *, bounded: bool) -> tuple[nn.Module, dict[str, str]]:
    config = narrow_config(architecture)
    model, norms = architecture.build(config), architecture.norms(config)
    if bounded:
        bound(model, list(norms.values()))
    freeze_redundant_biases(model, norms)
    return model.eval(), norms


def trained(architecture: Architecture, *, bounded: bool) -> nn.Module:
    model, _ = fresh(architecture, bounded=bounded)
    return enliven(model, images(architecture))


def outputs(model: nn.Module, architecture: Architecture) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(images(architecture))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_folded_bounded_network_computes_the_same_after_the_round_trip(name: str):
    architecture = architectures()[name]
    source = trained(architecture, bounded=True)
    model, norms = fresh(architecture, bounded=True)
    adopted = adopt(model, fold(source).state_dict(), head=head_of(model))
    neurons = sum(model.get_submodule(norm).weight.numel() for norm in norms.values())
    assert adopted == Adopted(neurons, 0, 0, 0.0)
    for norm in norms.values():
        theirs, ours = (m.get_submodule(norm).weight for m in (source, model))
        assert torch.allclose(ours.sigmoid(), theirs.sigmoid(), rtol=1e-5, atol=0)
    wanted = outputs(source, architecture)
    assert torch.allclose(outputs(model, architecture), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EXAMPLES)
def test_ordinary_batch_norm_is_taken_over_as_it_is(name: str):
    architecture = architectures()[name]
    source = trained(architecture, bounded=False)
    model, _norms = fresh(architecture, bounded=False)
    assert adopt(model, source.state_dict(), head=head_of(model)) == Adopted(0, 0, 0, 0.0)
    assert torch.equal(outputs(model, architecture), outputs(source, architecture))


def test_the_logit_gives_back_every_float32_importance_to_rounding():
    ends = torch.tensor([1e-38, 1e-20, 1e-7, 0.5, 1 - 2**-24, 1 - 2**-23])
    gamma = torch.cat([torch.linspace(1e-4, 1 - 1e-4, 10_001), ends])
    again = torch.sigmoid(logits(gamma.double()))
    assert torch.allclose(again, gamma, rtol=1e-5, atol=0)
    middle = (gamma > 0.1) & (gamma < 0.9)
    assert (again[middle] - gamma[middle]).abs().max() <= 2**-23


def test_importances_that_were_rounded_to_0_and_1_stay_so_in_a_folded_network():
    saturated = logits(torch.tensor([0.0, 1.0, 0.25], dtype=torch.float64), folded=True)
    assert saturated.tolist()[:2] == [-SATURATED, SATURATED]
    assert torch.sigmoid(saturated).tolist() == [0.0, 1.0, 0.25]


def norm_layers(gamma: list[float], beta: list[float]) -> tuple[nn.Module, Weights]:
    """A bounded network of one convolution, and weights for it with these γ and β."""
    n = len(gamma)
    plain = nn.Sequential(nn.Conv2d(1, n, 1), nn.BatchNorm2d(n), nn.Flatten(), nn.Linear(n, 2))
    weights = dict(plain.state_dict())
    weights["1.weight"], weights["1.bias"] = torch.tensor(gamma), torch.tensor(beta)
    bound(plain, ["1"])
    return plain, weights


def test_every_clamped_scale_and_dropped_bias_is_counted():
    gamma = [-2.0, 0.0, 0.3, 1.0, 1.7]
    model, weights = norm_layers(gamma, [0.0, 0.5, -2.5, 0.0, 1e-9])
    assert adopt(model, weights, head=head_of(model)) == Adopted(5, 4, 3, 2.5)
    kept = torch.sigmoid(model.get_submodule("1").weight)
    assert torch.allclose(kept, torch.tensor([LOWEST, LOWEST, 0.3, HIGHEST, HIGHEST]), rtol=1e-5)


def test_an_untrained_ordinary_batch_norm_is_clamped_and_can_still_learn():
    model, weights = norm_layers([1.0] * 4, [0.0] * 4)
    assert adopt(model, weights, head=head_of(model)).clamped == 4
    scale = model.get_submodule("1").weight
    torch.sigmoid(scale).sum().backward()
    assert (scale.grad >= 0.9e-4).all()


def test_norms_that_are_not_prunable_keep_scale_and_bias():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1))
    model.append(nn.BatchNorm2d(3)).append(nn.Flatten()).append(nn.Linear(3, 2))
    weights = {name: torch.randn_like(t) if t.is_floating_point() else t
               for name, t in model.state_dict().items()}  # fmt: skip
    weights |= {name: weights[name].abs() for name in weights if name.endswith("running_var")}
    bound(model, ["3"])
    adopt(model, weights, head=head_of(model))
    assert torch.equal(model.get_submodule("1").weight, weights["1.weight"])
    assert torch.equal(model.get_submodule("1").bias, weights["1.bias"])
    assert isinstance(model.get_submodule("3"), BoundedBatchNorm2d)


def test_biases_before_a_norm_are_kept_and_stay_frozen():
    """They do nothing there, and the running mean of the file contains them."""
    architecture = architectures()[SMALL]
    source = trained(architecture, bounded=False)
    model, norms = fresh(architecture, bounded=False)
    conv = next(iter(norms))
    nn.init.normal_(source.get_submodule(conv).bias)
    adopt(model, source.state_dict(), head=head_of(model))
    assert torch.equal(outputs(model, architecture), outputs(source, architecture))
    assert not model.get_submodule(conv).bias.requires_grad


def test_old_files_without_batch_counters_are_taken():
    architecture = architectures()[SMALL]
    source = trained(architecture, bounded=False)
    old = {k: v for k, v in source.state_dict().items() if "num_batches" not in k}
    model, _norms = fresh(architecture, bounded=False)
    adopt(model, old, head=head_of(model))
    assert torch.equal(outputs(model, architecture), outputs(source, architecture))


@pytest.fixture
def given() -> tuple[nn.Module, dict[str, str], Weights]:
    architecture = architectures()[SMALL]
    model, norms = fresh(architecture, bounded=True)
    return model, norms, dict(trained(architecture, bounded=False).state_dict())


def refusal(model: nn.Module, weights: Weights, norms: dict[str, str]) -> str:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(WrongWeights) as error:
        adopt(model, weights, head=head_of(model))
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
    assert error.value.hint
    return error.value.message


def test_another_network_is_refused_with_counts_names_and_both_shapes(given):
    model, norms, weights = given
    conv, norm = next(iter(norms.items()))
    weights[f"{conv}.weight"] = torch.zeros(2, 3, 5, 5)
    del weights[f"{norm}.running_mean"]
    weights["fc.weight"] = torch.zeros(1)
    said = refusal(model, weights, norms)
    assert f"1 of {len(model.state_dict()) + len(norms)} entries are missing" in said
    assert f"{norm}.running_mean" in said
    assert "1 are not part of it (fc.weight)" in said
    wanted = tuple(model.get_submodule(conv).weight.shape)
    assert f"{conv}.weight is (2, 3, 5, 5), wanted {wanted}" in said


def test_long_lists_are_cut_short_with_their_length(given):
    model, norms, weights = given
    other = {f"other.{name}": tensor for name, tensor in weights.items()}
    said = refusal(model, other, norms)
    assert f"and {len(weights) - 3} more" in said
    assert len(said) < 600


def head_of(model: nn.Module) -> str:
    return [name for name, m in model.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]


def with_1000_outputs(weights: Weights, head: str) -> None:
    shape = weights[f"{head}.weight"].shape
    weights[f"{head}.weight"] = torch.zeros(1000, *shape[1:])
    weights[f"{head}.bias"] = torch.zeros(1000)


def test_a_head_for_other_classes_is_said_in_words(given):
    model, norms, weights = given
    with_1000_outputs(weights, head_of(model))
    said = refusal(model, weights, norms)
    assert said == f"The head has 1000 outputs, this data set has {CLASSES} classes."


@pytest.mark.parametrize("present", [True, False])
def test_a_new_head_keeps_what_was_drawn_and_takes_all_else(given, present: bool):
    model, norms, weights = given
    head = head_of(model)
    with_1000_outputs(weights, head)
    if not present:
        weights = {name: t for name, t in weights.items() if not name.startswith(f"{head}.")}
    drawn = model.get_submodule(head).weight.clone()
    adopt(model, weights, new_head=True, head=head_of(model))
    assert torch.equal(model.get_submodule(head).weight, drawn)
    conv = next(iter(norms))
    assert torch.equal(model.get_submodule(conv).weight, weights[f"{conv}.weight"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused_by_name(given, bad: float):
    model, norms, weights = given
    conv = next(iter(norms))
    weights[f"{conv}.weight"] = weights[f"{conv}.weight"].clone().fill_(bad)
    assert f"{conv}.weight" in refusal(model, weights, norms)


def test_a_negative_variance_is_refused(given):
    model, norms, weights = given
    name = f"{next(iter(norms.values()))}.running_var"
    weights[name] = weights[name] - 1e6
    assert name in refusal(model, weights, norms)


def test_auxiliary_heads_of_the_weights_are_left_out_and_named(given):
    model, _norms, weights = given
    theirs = {
        **weights,
        "aux1.fc.weight": torch.zeros(5, 2),
        "AuxLogits.conv.weight": torch.zeros(1, 1, 1, 1),
    }
    assert adopt(model, theirs, head=head_of(model)).auxiliary == ("AuxLogits", "aux1")
    conv = next(iter(_norms))
    assert torch.equal(model.get_submodule(conv).weight, weights[f"{conv}.weight"])


def test_an_auxiliary_head_that_the_network_has_is_wanted():
    model = nn.Sequential()
    model.add_module("aux", nn.Linear(2, 2))
    model.add_module("head", nn.Linear(2, 2))
    weights = {name: t for name, t in model.state_dict().items() if name.startswith("head")}
    with pytest.raises(WrongWeights, match="2 of 4 entries are missing"):
        adopt(model, weights, head="head")
