"""Bounded batch normalisation: a channel's scale is σ(w), so its importance lies in (0, 1).

Tensor letters: N batch, C channels, H and W pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from recede.contract.errors import InvalidInput

NormT = TypeVar("NormT", bound="BoundedBatchNorm2d")


class BoundedBatchNorm2d(nn.Module):
    """y = σ(w)·(x − μ)/√(v + ε), without an additive bias (Suteu and Guo, arXiv 2204.06404).

    `weight` is the free logit w, drawn from N(0, 1); σ(w) is the channel's importance. Batch
    statistics in training, running statistics in evaluation, as in `nn.BatchNorm2d`.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.randn(num_features, device=device, dtype=dtype))
        self.register_buffer("running_mean", torch.zeros(num_features, device=device, dtype=dtype))
        self.register_buffer("running_var", torch.ones(num_features, device=device, dtype=dtype))
        counter = torch.zeros((), dtype=torch.long, device=device)
        self.register_buffer("num_batches_tracked", counter)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Normalised and scaled images; raises ValueError unless the input has 4 dimensions."""
        if x_NCHW.dim() != 4:
            raise ValueError(f"expected a 4-d input (N, C, H, W), got {x_NCHW.dim()} dimensions")
        scale_C, shift_C = self.affine()
        return functional.batch_norm(
            x_NCHW,
            self.running_mean,
            self.running_var,
            weight=scale_C,
            bias=shift_C,
            training=self.training,
            momentum=self._count_batch() if self.training else 0.0,
            eps=self.eps,
        )

    def affine(self) -> tuple[Tensor, Tensor | None]:
        """What each normalised channel is multiplied by, and what is added to it, if anything."""
        return torch.sigmoid(self.weight), None

    def _count_batch(self) -> float:
        """Share of the running statistics that this batch replaces; None is a plain average."""
        self.num_batches_tracked.add_(1)
        if self.momentum is None:
            return 1.0 / float(self.num_batches_tracked)
        return self.momentum

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class ThenOwnModules(BoundedBatchNorm2d):
    """Goes before a kind of norm: one in place of a norm that applies modules to its result.

    Such norms, for example with an activation inside, are what some libraries build of. The
    modules keep their names and order.
    """

    original: nn.BatchNorm2d

    def take_modules(self, original: nn.BatchNorm2d) -> None:
        """Apply the modules of `original` from now on; it is what folding gives back."""
        self.__dict__["original"] = original  # not a child: it is never called here
        for name, child in original.named_children():
            self.add_module(name, child)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """The norm and then its modules; raises ValueError unless the input has 4 dimensions."""
        return _through(self.children(), super().forward(x_NCHW))


class BoundedNormAct2d(ThenOwnModules, BoundedBatchNorm2d):
    """A bounded batch norm in place of one that applies modules of its own to its result."""


def can_be_bounded(norm: nn.Module) -> bool:
    """Whether a module is a batch norm of images that can be made bounded, or is so already.

    It needs scales and running statistics, and may apply nothing but its own modules to the
    normalised images.
    """
    if isinstance(norm, BoundedBatchNorm2d):
        return True
    if not isinstance(norm, nn.BatchNorm2d) or not norm.affine or norm.running_mean is None:
        return False
    return _is_plain(norm) or _is_norm_then_children(norm)


def _is_plain(norm: nn.BatchNorm2d) -> bool:
    return type(norm).forward is nn.BatchNorm2d.forward


@torch.inference_mode(mode=False)
@torch.no_grad()
def _is_norm_then_children(norm: nn.BatchNorm2d) -> bool:
    """Compares a subclass with its own modules after an ordinary batch norm, on numbers."""
    copied = copy.deepcopy(norm).eval()
    generator = torch.Generator().manual_seed(0)
    x_NCHW = torch.randn(2, norm.num_features, 3, 3, generator=generator).to(norm.weight)
    plain = nn.BatchNorm2d.forward(copied, x_NCHW)
    expected = _through(copy.deepcopy(copied).children(), plain)
    return torch.equal(copied(x_NCHW), expected)


def _through(modules: Iterable[nn.Module], x: Tensor) -> Tensor:
    for module in modules:
        x = module(x)
    return x


def bound(model: nn.Module, names: Sequence[str]) -> None:
    """Replace the named `nn.BatchNorm2d` modules by bounded ones, in place.

    Running statistics, ε, momentum, device, dtype and mode are kept; w is drawn from N(0, 1).
    Modules inside of a norm, such as an activation, stay.

    Raises:
        InvalidInput: a name is not a BatchNorm2d of this model; nothing is replaced then.
    """
    replace(model, names, BoundedBatchNorm2d, BoundedNormAct2d)


def replace(
    model: nn.Module,
    names: Sequence[str],
    kind: type[NormT],
    then_modules: type[NormT],
    finish: Callable[[NormT, nn.BatchNorm2d], None] = lambda _new, _old: None,
) -> None:
    """Replace the named `nn.BatchNorm2d` modules by ones of a bounded kind, in place.

    `then_modules` is the kind for norms with modules inside; `finish` gets each new norm, with
    the running statistics of the old one, and the old one.

    Raises:
        InvalidInput: a name is not a BatchNorm2d of this model; nothing is replaced then.
    """
    found = {name: _batch_norm(model, name) for name in names}
    for name, old in found.items():
        new = _with_statistics_of(old, kind if _is_plain(old) else then_modules)
        finish(new, old)
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, new)


def _batch_norm(model: nn.Module, name: str) -> nn.BatchNorm2d:
    modules = dict(model.named_modules())
    norm = modules.get(name)
    if not name or not isinstance(norm, nn.BatchNorm2d) or not can_be_bounded(norm):
        known = [key for key, module in modules.items() if isinstance(module, nn.BatchNorm2d)]
        raise InvalidInput(
            f"{name!r} is not a BatchNorm2d with running statistics in this network; "
            f"it has: {', '.join(known) or 'none'}."
        )
    return norm


def _with_statistics_of(old: nn.BatchNorm2d, kind: type[NormT]) -> NormT:
    mean, var, count = old.running_mean, old.running_var, old.num_batches_tracked
    assert mean is not None
    assert var is not None
    assert count is not None
    new = kind(old.num_features, old.eps, old.momentum, device=mean.device, dtype=mean.dtype)
    if isinstance(new, ThenOwnModules):
        new.take_modules(old)
    new.running_mean.copy_(mean)
    new.running_var.copy_(var)
    new.num_batches_tracked.copy_(count)
    return new.train(old.training)
