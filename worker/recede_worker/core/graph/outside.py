"""What a network computes outside of the layers that can be cut, watched while it is traced.

The tracer knows convolutions, linear layers and batch norms over images. All else is computed as
it is: parameters of other layers, products of activations, choices by value. Channels that reach
such a place have to stay whole, for nothing is known of how it depends on their number. They are
found by the NaN that the tracer sends.

Tensor letters: B probes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from recede.contract.errors import InvalidInput

Flags = npt.NDArray[np.bool_]

aten = torch.ops.aten
ORIGIN = "recede_origin"
"""Set on a tensor: ACTIVATION, or the name of the parameter that it is made of."""
ACTIVATION = object()
CHOICE = "recede_choice"
"""Set on a tensor of integers or booleans: in which probes NaN decided it, (B,)."""
SELECTING = frozenset({aten.topk, aten.sort, aten.kthvalue, aten.mode})
AS_NUMBERS = frozenset({Tensor.tolist, Tensor.numpy, Tensor.__array__})
Watch = Literal["all", "operators", "nothing"]
LARGEST_PASS = 2**26
"""Numbers of the largest tensor in one pass."""


class Outside(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes, while a pass runs inside of it, what happens outside of the known layers."""

    def __init__(self, model: nn.Module, parameters: Mapping[str, nn.Parameter]) -> None:
        """`parameters` are those of `model` that no known layer has."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs: dict[str, int] = {}
        """Multiply-adds of the last pass by the module that makes them."""
        self.met: dict[str, Flags] = {}
        """Why channels stay whole → whether NaN of a probe got there in the last pass, (B,)."""
        self.used: set[str] = set()
        """Names of parameters that worked in the last pass."""
        self.largest = 0
        """Numbers of its largest tensor."""
        self.in_rows = True
        """Whether its tensors kept the probes apart, one after another, along dimension 0."""
        self._kinds = {name: type(module).__name__ for name, module in model.named_modules()}
        self._layers = {
            name
            for name, module in model.named_modules()
            if not any(module.children()) or type(module).__module__.startswith("torch.nn.")
        }
        self._place = [""]
        self._size = 1
        self._is_quiet = False
        for name, parameter in parameters.items():
            setattr(parameter, ORIGIN, name)
        for name, module in model.named_modules():
            module.register_forward_pre_hook(lambda *_, name=name: self._place.append(name))
            module.register_forward_hook(lambda *_: self._leave())

    @contextmanager
    def watching(self, size: int, watch: Watch = "all") -> Iterator[None]:
        """Watch one pass of `size` probes.

        With "operators" tensors that become lists or arrays go unnoticed, but torch computes as
        it does outside of this: some of its layers take another way where functions are watched.
        """
        self.macs, self.met, self.used = {}, {}, set()
        self.largest, self.in_rows = 0, True
        self._place, self._size = [""], size
        functions = _Numbers(self) if watch == "all" else nullcontext()
        with functions, nullcontext() if watch == "nothing" else self:
            yield

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Do not watch what the tracer itself computes."""
        before, self._is_quiet = self._is_quiet, True
        try:
            yield
        finally:
            self._is_quiet = before

    def by_probe(self, flags_N: Tensor) -> Tensor:
        """Whether any of a probe's flags (B·k, …) is set: (B,), or (B, W) of two dimensions."""
        if not flags_N.dim() or len(flags_N) % self._size:
            self.in_rows = False
            one = flags_N.any() if flags_N.dim() < 2 else flags_N.any(0)
            return one.expand(self._size, *one.shape)
        return flags_N.reshape(self._size, -1, *flags_N.shape[1:]).any(1)

    def _leave(self) -> None:
        self._place.pop()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """One operation, computed as it is."""
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if self._is_quiet:
            return output
        read = [*_tensors(args), *_tensors(kwargs.values())]
        made = [*_tensors((output,))]
        live = [x for x in read if origin_of(x) is ACTIVATION]
        fixed = [x for x in read if isinstance(origin_of(x), str)]
        self.used |= {origin_of(x) for x in fixed}
        self.largest = max(self.largest, *(x.numel() for x in made), 0)
        packet = func.overloadpacket
        if packet in flop_registry:
            flops = flop_registry[packet](*args, **kwargs, out_val=output)
            self.macs[self._place[-1]] = self.macs.get(self._place[-1], 0) + flops // 2
        if live:
            self._look(packet, live, fixed, made)
        for tensor in made:
            mark(tensor, ACTIVATION if live else origin_of(fixed[0]) if fixed else None)
        return output

    def _look(
        self, packet: Any, live: list[Tensor], fixed: list[Tensor], made: list[Tensor]
    ) -> None:
        """Whether NaN meets what it should not."""
        wide = [x for x in fixed if x.numel() > 1]
        if packet is aten._local_scalar_dense:
            self.refuse_number(live[0])
        elif wide:
            self._meet(self._stays_whole(origin_of(wide[0])), self._nan(live))
        elif packet in flop_registry:
            self._meet(f"{self._here()} multiplies them outside of its layers", self._nan(live))
        elif packet in SELECTING:
            self._meet(f"{self._here()} chooses by their values", self._nan(live))
        decided = [x for x in live if hasattr(x, CHOICE)]
        whole = [x for x in made if not x.is_floating_point()]
        if decided and len(whole) < len(made):
            self._meet(f"{self._here()} chooses by their values", self._decided(decided))
        elif whole and (decided or live):
            flags_B = self._decided(decided) | self._nan(live)
            for tensor in whole:
                if flags_B.any():
                    setattr(tensor, CHOICE, flags_B)

    def refuse_number(self, tensor: Tensor) -> None:
        """Raises InvalidInput if NaN decided a number that Python code takes of a tensor."""
        if origin_of(tensor) is not ACTIVATION or self._is_quiet:
            return
        if self._nan([tensor]).any() or hasattr(tensor, CHOICE):
            raise InvalidInput(
                f"Numbers are taken out of an image's activations in {self._here()}: what it "
                "computes may depend on them, so that a cut could not be proven for every image.",
                hint="Choose a network that computes the same for every image.",
            )

    def _meet(self, reason: str, flags_B: Flags) -> None:
        if flags_B.any():
            self.met[reason] = self.met.get(reason, np.zeros_like(flags_B)) | flags_B

    def _nan(self, tensors: Collection[Tensor]) -> Flags:
        found: Flags = np.zeros(self._size, np.bool_)
        for tensor in tensors:
            if tensor.is_floating_point():
                sums_N = tensor.sum(list(range(1, tensor.dim()))) if tensor.dim() > 1 else tensor
                found = found | self.by_probe(sums_N.isnan()).numpy()
        return found

    def _decided(self, tensors: Collection[Tensor]) -> Flags:
        found: Flags = np.zeros(self._size, np.bool_)
        for tensor in tensors:
            found = found | getattr(tensor, CHOICE)
        return found

    def _stays_whole(self, parameter: Any) -> str:
        owner = str(parameter).rpartition(".")[0]
        if owner in self._layers:
            return f"{owner!r} ({self._kinds[owner]}) reads them, which stays whole"
        return f"the parameter {parameter!r} meets them, which stays whole"

    def _here(self) -> str:
        name = self._place[-1]
        return f"{name!r} ({self._kinds[name]})" if name else "the network"


class _Numbers(TorchFunctionMode):
    """Sees what no operator does: tensors that become lists or arrays."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self._outside = outside

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if func in AS_NUMBERS:
            self._outside.refuse_number(args[0])
        return func(*args, **(kwargs or {}))


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def origin_of(tensor: Tensor) -> Any:
    """ACTIVATION, the name of a parameter, or None for constants."""
    return getattr(tensor, ORIGIN, None)


def mark(tensor: Tensor, origin: Any) -> Tensor:
    """Say what a tensor is made of."""
    if origin is not None:
        setattr(tensor, ORIGIN, origin)
    return tensor


def probes_a_pass(largest: int, most: int) -> int:
    """As many as memory allows, if one probe's largest tensor has so many numbers."""
    return max(1, min(most, LARGEST_PASS // max(1, largest)))
