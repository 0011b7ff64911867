"""The weights of a recording: latest, best and evenly spread epochs within a disk budget."""

from __future__ import annotations

import time
from functools import partial

import torch
from safetensors.torch import save_file
from torch import nn

from recede.contract.spec.kept_weights import kept
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import WEIGHTS, Dropped, Kept


class KeptWeights:
    """Keeps the state_dict of a model as it trains; raises OSError where the disk is full."""

    def __init__(self, journal: Journal, budget_bytes: int, there: dict[int, str]) -> None:
        """`there` are the files of a recording that is resumed, by epoch."""
        self._journal = journal
        self._budget_bytes = budget_bytes
        self._files = dict(there)

    def keep(self, model: nn.Module, epoch: int, best: int | None) -> None:
        """Keep the weights of this epoch, then drop those that the budget has no room for."""
        tensors = {
            name: value.detach().cpu().contiguous().clone()  # safetensors takes no shared memory
            for name, value in model.state_dict().items()
            if isinstance(value, torch.Tensor)
        }
        name = f"{WEIGHTS}/{epoch:06d}.safetensors"
        self._journal.put(name, partial(save_file, tensors))
        self._journal.append(Kept(at=time.time(), epoch=epoch, weights=name))
        self._files[epoch] = name
        n_bytes = sum(tensor.nbytes for tensor in tensors.values())
        stay = kept(
            self._files,
            always={0, epoch, *([] if best is None else [best])},
            n_bytes=max(1, n_bytes),
            budget=self._budget_bytes,
        )
        for old in sorted(self._files.keys() - stay):
            self._journal.append(Dropped(at=time.time(), epoch=old))
            self._journal.remove(self._files.pop(old))
