"""Bounded batch normalisation: a channel's scale is σ(w), so its importance lies in (0, 1).

Tensor letters: N batch, C channels, H and W pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recede.contract.errors import InvalidInput


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
        return functional.batch_norm(
            x_NCHW,
            self.running_mean,
            self.running_var,
            weight=torch.sigmoid(self.weight),
            bias=None,
            training=self.training,
            momentum=self._count_batch() if self.training else 0.0,
            eps=self.eps,
        )

    def _count_batch(self) -> float:
        """Share of the running statistics that this batch replaces; None is a plain average."""
        self.num_batches_tracked.add_(1)
        if self.momentum is None:
            return 1.0 / float(self.num_batches_tracked)
        return self.momentum

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BoundedNormAct2d(BoundedBatchNorm2d):
    """A bounded batch norm in place of one that applies modules of its own to its result.

    Such norms, for example with an activation inside, are what some libraries build of. The
    modules keep their names and order.
    """

    original: nn.BatchNorm2d

    def __init__(self, original: nn.BatchNorm2d) -> None:
        super().__init__(
            original.num_features,
            original.eps,
            original.momentum,
            device=original.weight.device,
            dtype=original.weight.dtype,
        )
        # Not a child: it is what folding gives back, and is never called here.
        self.__dict__["original"] = original
        for name, child in original.named_children():
            self.add_module(name, child)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """The norm and then its modules; raises ValueError unless the input has 4 dimensions."""
        return _through(self.children(), super().forward(x_NCHW))


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
    found = {name: _batch_norm(model, name) for name in names}
    for name, norm in found.items():
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, _bounded(norm))


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


def _bounded(norm: nn.BatchNorm2d) -> BoundedBatchNorm2d:
    mean, var, count = norm.running_mean, norm.running_var, norm.num_batches_tracked
    assert mean is not None
    assert var is not None
    assert count is not None
    bounded = (
        BoundedBatchNorm2d(
            norm.num_features, norm.eps, norm.momentum, device=mean.device, dtype=mean.dtype
        )
        if _is_plain(norm)
        else BoundedNormAct2d(norm)
    )
    bounded.running_mean.copy_(mean)
    bounded.running_var.copy_(var)
    bounded.num_batches_tracked.copy_(count)
    return bounded.train(norm.training)
