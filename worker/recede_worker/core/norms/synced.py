"""Batch norm over several processes: statistics of the whole batch, as one process has them.

Tensor letters: N images of this process, C channels, H and W pixels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from recede_worker.core.norms.bounded import BoundedBatchNorm2d

Group = dist.ProcessGroup | None


def synchronise(model: nn.Module, group: Group = None) -> None:
    """Let every batch norm of the model train on the statistics of all processes, in place.

    Ordinary ones, bounded ones and what is derived of them. The modules stay where they are,
    with their parameters, buffers and names; evaluation is as before. Each process must call
    the model on its share of the same batch, at the same time; a share may be empty. `group`
    None is all processes. A deep copy of the model, and so what `fold` returns, is not
    synchronised. Undone by `desynchronise`.
    """
    for module in model.modules():
        if isinstance(module, _Synced):
            module.recede_group = group
        elif isinstance(module, _BatchNorm | BoundedBatchNorm2d):
            kind: Any = type(module)
            module.__class__ = _synced(kind)
            module.recede_group = group  # type: ignore[assignment]


def desynchronise(model: nn.Module) -> None:
    """Let every batch norm train on the statistics of its own process again, in place."""
    for module in model.modules():
        if isinstance(module, _Synced):
            del module.recede_group
            module.__class__ = module.plain  # type: ignore[assignment]


class _Synced(nn.Module):
    """Goes before a batch norm's own class; whatever that does, it normalises by one function."""

    plain: type[nn.Module]
    recede_group: Group

    def forward(self, x_NCHW: Tensor) -> Any:
        """The norm's own forward pass, in training with the statistics of the whole batch."""
        if not self.training:
            return super().forward(x_NCHW)
        with _WholeBatch(self.recede_group):
            return super().forward(x_NCHW)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A copy is of the plain kind: a process group can be neither copied nor stored."""
        parts: Any = super().__reduce_ex__(protocol)
        make, (_, *rest), state, *more = parts
        kept = {key: value for key, value in state.items() if key != "recede_group"}
        return (make, (self.plain, *rest), kept, *more)


@functools.cache
def _synced(plain: Any) -> Any:
    return type(f"Synced{plain.__name__}", (_Synced, plain), {"plain": plain})


class _WholeBatch(TorchFunctionMode):
    """Within it, `functional.batch_norm` in training takes the statistics of all processes."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self.group = group

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Every function of torch that is called comes through here."""
        if func is functional.batch_norm:
            return _batch_norm(self.group, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _batch_norm(
    group: Group,
    input: Tensor,  # noqa: A002 - the names are those of functional.batch_norm
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training:
        return functional.batch_norm(
            input, running_mean, running_var, weight, bias, False, momentum, eps
        )
    mean_C, var_C, count = whole_statistics(input.detach(), group)
    if running_mean is not None and running_var is not None:
        _track(running_mean, running_var, mean_C, var_C, count, momentum)
    weight_C = torch.ones_like(mean_C) if weight is None else weight
    bias_C = torch.zeros_like(weight_C) if bias is None else bias
    normalised: Tensor = _Normalise.apply(
        input, weight_C, bias_C, mean_C, var_C, eps, count, group
    )
    return normalised


def whole_statistics(x_NCHW: Tensor, group: Group) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, variance (biased) and number of values of each channel over all processes.

    Each process sums around its own mean, and the parts are joined in float64: a variance
    that is small against the mean is not lost, as in a sum of squares. Mean and variance are
    float32, or float64 where the images are.
    """
    C = x_NCHW.shape[1]
    kind = torch.float64 if x_NCHW.dtype == torch.float64 else torch.float32
    mine = torch.zeros(3, C, dtype=torch.float64, device=x_NCHW.device)
    if x_NCHW.numel():
        # Given float32 buffers, it sums half precision in float32 too.
        buffers = torch.zeros(2, C, dtype=kind, device=x_NCHW.device)
        mean, var = torch.batch_norm_update_stats(x_NCHW, buffers[0], buffers[1], 0.0)
        mine[0].fill_(x_NCHW.numel() // C)
        mine[1].copy_(mean)
        mine[2].copy_(var)
    parts = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
    dist.all_gather(parts, mine, group=group)
    count_KC, mean_KC, var_KC = torch.stack(parts, dim=1)
    count = count_KC[:, 0].sum()
    mean_C = (count_KC * mean_KC).sum(0) / count
    var_C = (count_KC * (var_KC + (mean_KC - mean_C).square())).sum(0) / count
    return mean_C.to(kind), var_C.to(kind), count


@torch.no_grad()
def _track(
    running_mean_C: Tensor,
    running_var_C: Tensor,
    mean_C: Tensor,
    var_C: Tensor,
    count: Tensor,
    momentum: float,
) -> None:
    """Move the running statistics as one process does: by the unbiased variance."""
    unbiased_C = var_C * (count / (count - 1)).to(var_C.dtype)
    running_mean_C.lerp_(mean_C.to(running_mean_C.dtype), momentum)
    running_var_C.lerp_(unbiased_C.to(running_var_C.dtype), momentum)


class _Normalise(torch.autograd.Function):
    """y = γ·(x − μ)/√(v + ε) + β, where μ and v depend on the images of all processes.

    The gradient of x is that of fixed statistics, which torch has as one kernel, less what
    comes back through them: γ·r/M · (Σdy + x̂·Σdy·x̂), summed over all processes, with
    r = 1/√(v + ε) and x̂ = (x − μ)·r. The gradients of γ and β are this process's part.
    """

    @staticmethod
    def forward(
        context: Any,
        x_NCHW: Tensor,
        weight_C: Tensor,
        bias_C: Tensor,
        mean_C: Tensor,
        var_C: Tensor,
        eps: float,
        count: Tensor,
        group: Group,
    ) -> Tensor:
        context.save_for_backward(x_NCHW, weight_C, mean_C, var_C, count)
        context.eps, context.group = eps, group
        return functional.batch_norm(x_NCHW, mean_C, var_C, weight_C, bias_C, False, 0.0, eps)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, dy_NCHW: Tensor) -> Any:
        x_NCHW, weight_C, mean_C, var_C, count = context.saved_tensors
        dx_NCHW, dweight_C, dbias_C = _with_fixed_statistics(
            dy_NCHW, x_NCHW, weight_C, mean_C, var_C, context.eps
        )
        sums = torch.stack([dbias_C, dweight_C]).to(mean_C.dtype)
        dist.all_reduce(sums, group=context.group)
        r_C = (var_C + context.eps).rsqrt()
        factor_C = weight_C.to(r_C.dtype) * r_C / count.to(r_C.dtype)
        slope_C = factor_C * r_C * sums[1]
        shift_C = factor_C * sums[0] - slope_C * mean_C
        wide = (1, -1, *[1] * (x_NCHW.dim() - 2))
        back_NCHW = torch.addcmul(shift_C.view(wide), slope_C.view(wide), x_NCHW)
        dx_NCHW = (dx_NCHW - back_NCHW).to(x_NCHW.dtype)
        return dx_NCHW, dweight_C, dbias_C, None, None, None, None, None


def _with_fixed_statistics(
    dy_NCHW: Tensor, x_NCHW: Tensor, weight_C: Tensor, mean_C: Tensor, var_C: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of images, γ and β as in evaluation."""
    if not x_NCHW.numel():
        return torch.zeros_like(x_NCHW), torch.zeros_like(weight_C), torch.zeros_like(weight_C)
    gradients: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
        dy_NCHW, x_NCHW, weight_C, mean_C, var_C, None, None, False, eps, [True, True, True]
    )
    return gradients
