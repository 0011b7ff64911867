"""Running neighbouring cuts one after the other gives what each gives alone, with less work."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from worker.core.reuse import Reuse, out_of_place, share_tensors


class Residual(nn.Module):
    """A layer that overwrites its own results."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Convolved, and added to in place as some networks do."""
        y_BCHW = self.conv(x_BCHW)
        y_BCHW += x_BCHW
        return y_BCHW.relu_()


def chain() -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(4):
        layers += [nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 36, 5)).eval()


def residual() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(Residual(), Residual(), nn.Flatten(), nn.Linear(4 * 36, 5)).eval()


def changed(model: nn.Module, layer: str) -> nn.Module:
    """A copy with other weights in one layer, and equal tensors that are not the same."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.get_submodule(layer).weight.mul_(0.5)  # type: ignore[operator,union-attr]
    return other


@pytest.mark.parametrize(
    ("build", "layers"),
    [(chain, ["0", "3", "9", "13", "9", "0"]), (residual, ["1.conv", "3", "0.conv", "1.conv"])],
)
@pytest.mark.parametrize("budget", [2**30, 3000, 0])
def test_each_network_answers_as_if_it_were_alone(
    build: Callable[[], nn.Module], layers: list[str], budget: int
) -> None:
    x_BCHW = torch.randn(3, 4, 6, 6, generator=torch.Generator().manual_seed(2))
    reuse, last = Reuse(budget), None
    for layer in ["", *layers]:
        model = changed(build(), layer) if layer else build()
        alone = copy.deepcopy(model)
        out_of_place(model)
        if last is not None:
            share_tensors(model, last)
        last = model
        with torch.no_grad():
            assert torch.equal(reuse(model, x_BCHW), alone(x_BCHW))


def test_what_did_not_change_is_not_computed_again() -> None:
    model = out_of_place(chain())
    other = out_of_place(changed(chain(), "9"))
    share_tensors(other, model)
    x_BCHW = torch.randn(2, 4, 6, 6)
    reuse = Reuse()
    first = [layer for layer in model if isinstance(layer, nn.Conv2d)]
    assert first[0].weight is other[0].weight
    assert first[3].weight is not other[9].weight
    reuse(model, x_BCHW)
    kept = results(reuse)
    reuse(other, x_BCHW)
    same = [any(one is before for before in kept) for one in results(reuse)]
    assert same == [True] * 9 + [False] * 5  # three times convolution, norm and ReLU


def results(reuse: Reuse) -> list[Tensor]:
    """Of each call of the last run, in order."""
    return [call.result for call in reuse._calls if isinstance(call.result, Tensor)]


def test_other_images_are_computed_anew() -> None:
    model, reuse = out_of_place(chain()), Reuse()
    for seed in (0, 1):
        x_BCHW = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            assert torch.equal(reuse(model, x_BCHW), model(x_BCHW))


def test_tensors_of_another_form_are_not_shared() -> None:
    small, large = nn.Linear(3, 2), nn.Linear(4, 2)
    weight = small.weight
    share_tensors(small, large)
    assert small.weight is weight
