"""Weights from elsewhere: a plain state_dict for a network with bounded or gated norms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from recede.contract.errors import InvalidInput
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.gated import GatedBatchNorm2d

LOWEST, HIGHEST = 1e-4, 1 - 1e-4
"""Importances that stand for a γ at or beyond 0 and 1.

σ(w) is never 0 or 1, and its slope σ·(1 − σ) fades towards both: nearer to the ends than this,
a channel could hardly change in training; farther from them, the network would be another one.
"""
SATURATED = 104.0
"""From here on σ(w) is exactly 1 in float32, and σ(−w) exactly 0."""
SHOWN = 3  # entries of each kind that an error lists
COUNTER = "num_batches_tracked"  # torch wrote none before version 0.4.1, and none is needed


class WrongWeights(InvalidInput):
    """A state_dict of another network, or one with numbers that are none."""

    code = "wrong_weights"


@dataclass(frozen=True)
class Adopted:
    """What bounded batch norm could not take over as it was; all 0 for ordinary batch norm."""

    channels: int
    """Channels of bounded batch norms."""
    clamped: int
    """Of these, channels whose γ was at or beyond 0 or 1."""
    dropped_biases: int
    """Of these, channels whose β was other than 0: bounded batch norm has none."""
    largest_bias: float
    """The largest |β| that was dropped."""
    auxiliary: tuple[str, ...] = ()
    """Auxiliary heads of the weights that the network is built without; they were left out."""


def adopt(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    *,
    head: str,
    new_head: bool = False,
) -> Adopted:
    """Load the plain state_dict `weights` into `model`, in place; `head` makes its scores.

    In bounded batch norm a γ strictly between 0 and 1 becomes w = logit(γ), which gives back
    the same σ(w) to float32's rounding; others are clamped to LOWEST and HIGHEST, and β is
    dropped. Ordinary and gated batch norm keep both; a gate begins at the w that it has. With
    `new_head` that layer keeps the weights that `model` has. Auxiliary heads that `model` does
    not have are left out.

    Raises:
        WrongWeights: entries are missing, unexpected, of another shape (for the head
            alone it is said how many outputs) or not finite; the model is as it was.
    """
    own = model.state_dict()
    auxiliary = _auxiliary(weights, own)
    weights = {n: t for n, t in weights.items() if n.partition(".")[0] not in auxiliary}
    drawn = {name: own[name] for name in _of(own, head)} if new_head else {}
    given = {name: t for name, t in weights.items() if name not in _of(weights, head) or not drawn}
    given |= drawn
    norms = {n: m for n, m in model.named_modules() if isinstance(m, BoundedBatchNorm2d)}
    _check_entries(given, _wanted(own, norms, given), head)
    _check_numbers(given)
    gated = {name: norm for name, norm in norms.items() if isinstance(norm, GatedBatchNorm2d)}
    bounded = {name: norm for name, norm in norms.items() if name not in gated}
    for name, gate in gated.items():
        given[f"{name}.gamma"], given[f"{name}.beta"] = (
            given.pop(f"{name}.weight"), given.pop(f"{name}.bias"),
        )  # fmt: skip
        gate.begin_at(gate.weight)
    gammas = {name: given.pop(f"{name}.weight").double() for name in bounded}
    betas = {name: given.pop(f"{name}.bias").double() for name in bounded}
    with torch.no_grad():
        for name, tensor in given.items():
            own[name].copy_(tensor)
        folded = _is_folded(gammas.values(), betas.values())
        for name, norm in bounded.items():
            norm.weight.copy_(logits(gammas[name], folded=folded))
    found = _adopted(gammas.values(), betas.values(), folded=folded)
    return replace(found, auxiliary=auxiliary)


@torch.no_grad()
def logits(gamma_C: Tensor, *, folded: bool = False) -> Tensor:
    """w with σ(w) = γ, float32, from float64 scales.

    Without `folded` a γ at or beyond 0 and 1 is clamped. With it the scales are known to be
    σ(w) themselves: a 0 or 1 among them was rounded to it, and gives the same σ(w) again.
    """
    inside_C = gamma_C.clamp(LOWEST, HIGHEST)
    is_free_C = (gamma_C > 0) & (gamma_C < 1)
    w_C = torch.logit(torch.where(is_free_C, gamma_C, inside_C))
    if folded:
        w_C = w_C.masked_fill(gamma_C == 0, -SATURATED).masked_fill(gamma_C == 1, SATURATED)
    return w_C.float()


def _is_folded(gammas: Iterable[Tensor], betas: Iterable[Tensor]) -> bool:
    """Whether these look like bounded batch norms, folded: no β, no γ outside [0, 1].

    An untrained ordinary batch norm has γ = 1 throughout, so some γ must lie strictly inside.
    """
    every = list(gammas)
    if not every or any(bool(beta_C.any()) for beta_C in betas):
        return False
    gamma_N = torch.cat(every)
    within = bool(((gamma_N >= 0) & (gamma_N <= 1)).all())
    return within and bool(((gamma_N > 0) & (gamma_N < 1)).any())


def _adopted(gammas: Iterable[Tensor], betas: Iterable[Tensor], *, folded: bool) -> Adopted:
    every = list(gammas)
    if not every:
        return Adopted(0, 0, 0, 0.0)
    gamma_N, beta_N = torch.cat(every), torch.cat(list(betas))
    outside = 0 if folded else int(((gamma_N <= 0) | (gamma_N >= 1)).sum())
    return Adopted(
        channels=gamma_N.numel(),
        clamped=outside,
        dropped_biases=int((beta_N != 0).sum()),
        largest_bias=float(beta_N.abs().max()),
    )


def _auxiliary(weights: Iterable[str], own: Iterable[str]) -> tuple[str, ...]:
    """Modules called auxiliary that the weights have and the network has not."""
    theirs, ours = ({name.partition(".")[0] for name in names} for names in (weights, own))
    return tuple(sorted(name for name in theirs - ours if "aux" in name.lower()))


def _of(entries: Iterable[str], layer: str) -> set[str]:
    """The entries of one layer."""
    return {name for name in entries if name.startswith(f"{layer}.")}


def _wanted(
    own: Mapping[str, Tensor],
    bounded: Mapping[str, BoundedBatchNorm2d],
    given: Mapping[str, Tensor],
) -> dict[str, torch.Size]:
    """Shape of each entry of the plain state_dict: a bounded or gated norm, folded, has a bias."""
    of_gates = {
        f"{name}.{leaf}"
        for name, norm in bounded.items()
        if isinstance(norm, GatedBatchNorm2d)
        for leaf in norm.FOLDED_AWAY
    }
    shapes = {
        name: tensor.shape
        for name, tensor in own.items()
        if name not in of_gates and (name in given or not name.endswith(COUNTER))
    }
    return shapes | {f"{name}.bias": norm.weight.shape for name, norm in bounded.items()}


def _check_entries(
    given: Mapping[str, Tensor], wanted: Mapping[str, torch.Size], head: str
) -> None:
    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in given if name not in wanted]
    reshaped = [n for n, shape in wanted.items() if n in given and given[n].shape != shape]
    if not (missing or unexpected or reshaped):
        return
    if not (missing or unexpected) and set(reshaped) <= _of(wanted, head):
        _refuse_head(given[f"{head}.weight"].shape, wanted[f"{head}.weight"])
    shapes = [f"{n} is {tuple(given[n].shape)}, wanted {tuple(wanted[n])}" for n in reshaped]
    found = [
        _listed(f"{len(missing)} of {len(wanted)} entries are missing", missing),
        _listed(f"{len(unexpected)} are not part of it", unexpected),
        _listed(f"{len(reshaped)} are of another shape", shapes),
    ]
    raise WrongWeights(
        f"The weights are of another network: {'; '.join(text for text in found if text)}.",
        field="init",
        hint="Choose the architecture, its parameters (such as the width) and a data set "
        "with as many colour channels as these weights were trained with.",
    )


def _refuse_head(theirs: torch.Size, ours: torch.Size) -> None:
    """Say in words that just the number of outputs differs, if that is all."""
    if len(theirs) == len(ours) and theirs[1:] == ours[1:]:
        raise WrongWeights(
            f"The head has {theirs[0]} outputs, this data set has {ours[0]} classes.",
            field="init.new_head",
            hint="Name the outputs (init.classes) to keep those of these classes, use a new "
            "head (init.new_head) to draw the last layer anew and keep all other weights, or "
            "choose the data set that they were trained on.",
        )


def _listed(what: str, entries: list[str]) -> str:
    if not entries:
        return ""
    rest = len(entries) - SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return f"{what} ({', '.join(entries[:SHOWN])}{more})"


def _check_numbers(given: Mapping[str, Tensor]) -> None:
    bad = [name for name, tensor in given.items() if not bool(torch.isfinite(tensor).all())]
    bad += [n for n, t in given.items() if n.endswith("running_var") and bool((t < 0).any())]
    if bad:
        raise WrongWeights(
            "The weights hold numbers that no network can use (NaN, infinite, or a negative "
            f"variance): {_listed(f'{len(bad)} entries', bad)}.",
            field="init",
            hint="Take a checkpoint from before the training diverged.",
        )
