"""A network as nested constructor calls and one class for each kind of block that it has.

Layers of torch.nn are constructed with their real arguments. The forward of every other module
is traced with the modules below it left whole; one that cannot be traced by itself is exported
for the size of image that it is given, or traced as a part of the module above it.
"""

from __future__ import annotations

import re

from torch import Tensor, nn

from recede_worker.source.graph import forward_text
from recede_worker.source.layers import (
    STRUCTURES,
    NotPlain,
    constant,
    constructor,
    first_line,
    is_of_torch,
    is_structure,
    zeros,
)
from recede_worker.source.tracing import (
    TEMPLATES,
    exported,
    observed,
    plain_kind,
    template_of,
    traced,
)

WIDTH = 95
RESERVED = {
    *("Parts", "NormThen", "SameConv2d", "OrderedDict", "nn", "torch", "json", "math"),
    *("build", "load", "read", "Path"),
}


class Tree:
    """The text of a network in evaluation mode, found out with some images.

    The network may get further buffers, for constants that its code computes with.
    """

    def __init__(self, model: nn.Module, images_NCHW: Tensor) -> None:
        self.model = model
        self.classes: dict[str, str] = {}
        """Text of a forward → name of its class, in the order of definition."""
        self.fixed_size = False
        """Whether a part is written for this one size of image."""
        self.templates: set[type[nn.Module]] = set()
        self._calls = observed(model, images_NCHW)
        self._forwards: dict[str, str] = {}
        self._whole: set[str] = set()
        """Modules whose forward holds all that is below them."""
        self._inlined: set[str] = set()
        self._kinds: dict[str, type[nn.Module]] = {}
        """Modules that a class of torch.nn or one of the templates stands for."""
        self._problems: list[str] = []
        self._settle("", model)
        if "" in self._inlined:
            raise NotPlain("; ".join(self._problems[-3:]))

    def text(self) -> str:
        """The expression that builds the network."""
        return self._module("", self.model, 1, is_called=True)

    def _settle(self, name: str, module: nn.Module) -> None:
        """Find the forward of a module, after those of all below it."""
        for part, child in module.named_children():
            self._settle(_join(name, part), child)
        call = self._calls.get(name)
        if call is None or self._is_identity(name, module):
            return
        if is_structure(module):
            below = {_join(name, part) for part, _ in module.named_children()}
            if below & self._inlined:
                self._inlined.add(name)
        elif (kind := plain_kind(module, call)) or (kind := template_of(module, call)):
            self._kinds[name] = kind
        else:
            self._trace(name, module)

    def _trace(self, name: str, module: nn.Module) -> None:
        call = self._calls[name]
        kind = type(module).__name__
        try:
            graph = traced(name, module, call, self._inlined)
            self._forwards[name] = forward_text(graph, module)
        except Exception as error:  # noqa: BLE001 - the code of somebody else, and torch's tracer
            self._problems.append(f"{kind} {name!r}: {first_line(error)}")
        else:
            return
        try:
            graph = exported(module, call)
            self._forwards[name] = forward_text(graph, module)
            self._whole.add(name)
            self.fixed_size = True
        except Exception as error:  # noqa: BLE001 - as above
            self._problems.append(f"{kind} {name!r}: {first_line(error)}")
            self._inlined.add(name)

    def _is_identity(self, name: str, module: nn.Module) -> bool:
        call = self._calls.get(name)
        return call is not None and call.is_identity and not module.state_dict()

    def _module(self, name: str, module: nn.Module, depth: int, *, is_called: bool) -> str:
        if is_of_torch(module) and not isinstance(module, STRUCTURES):
            return _nested(*constructor(module), depth)
        if self._is_identity(name, module):
            return "nn.Identity()"
        below = is_called and name not in self._whole
        if is_structure(module):
            return self._structure(name, module, depth, is_called=below)
        head, own = "Parts", _own_tensors(module)
        kind = self._kinds.get(name)
        if kind is not None:
            head, own = self._known(module, kind)
        elif is_called and name in self._forwards:
            head = self._class(self._forwards[name], module)
        parts = self._parts(name, module, depth, is_called=below)
        return _nested(head, [*own, *parts], depth)

    def _known(self, module: nn.Module, kind: type[nn.Module]) -> tuple[str, list[str]]:
        """The class and the arguments of a module that a known class stands for."""
        base = kind.__bases__[0] if kind in TEMPLATES.values() else kind
        head, arguments = constructor(module, base)
        if base is kind:
            return head, arguments
        self.templates.add(kind)
        return kind.__name__, arguments

    def _structure(self, name: str, module: nn.Module, depth: int, *, is_called: bool) -> str:
        parts = [part for part, _ in module.named_children()]
        plain = isinstance(module, nn.Sequential) and parts == [str(i) for i in range(len(parts))]
        inner = depth if plain else depth + 1
        texts = [
            self._module(_join(name, part), child, inner + 1, is_called=is_called)
            for part, child in module.named_children()
        ]
        if plain:
            return _nested("nn.Sequential", texts, depth)
        if isinstance(module, nn.ModuleList):
            return _nested("nn.ModuleList", [_nested("", texts, inner, "[]")], depth)
        pairs = [f'"{part}": {text}' for part, text in zip(parts, texts, strict=True)]
        named = _nested("", pairs, inner, "{}")
        if isinstance(module, nn.ModuleDict):
            return _nested("nn.ModuleDict", [named], depth)
        return _nested("nn.Sequential", [f"OrderedDict({named})"], depth)

    def _parts(self, name: str, module: nn.Module, depth: int, *, is_called: bool) -> list[str]:
        named, odd = [], []
        for part, child in module.named_children():
            text = self._module(_join(name, part), child, depth + 1, is_called=is_called)
            if part.isidentifier():
                named.append(f"{part}={text}")
            else:
                odd.append(f'"{part}": {text}')
        return named + ([f"**{{{', '.join(odd)}}}"] if odd else [])

    def _class(self, forward: str, module: nn.Module) -> str:
        if forward not in self.classes:
            base = re.sub(r"\W|^_+", "", type(module).__name__) or "Part"
            taken = RESERVED | set(self.classes.values())
            names = [base, *(f"{base}{number}" for number in range(2, len(taken) + 3))]
            self.classes[forward] = next(name for name in names if name not in taken)
        return self.classes[forward]


def _own_tensors(module: nn.Module) -> list[str]:
    """What a module holds itself: parameters and buffers by shape, other constants by value."""
    held = module.state_dict()
    texts = []
    for name, parameter in module.named_parameters(recurse=False):
        texts.append(f'"{name}": nn.Parameter({zeros(parameter)})')
    constants = []
    for name, buffer in module.named_buffers(recurse=False):
        if name in held:
            texts.append(f'"{name}": {zeros(buffer)}')
        else:
            constants.append(f'"{name}": {constant(buffer)}')
    if not texts and not constants:
        return []
    return [f"{{{', '.join(group)}}}" for group in ((texts, constants) if constants else (texts,))]


def _nested(head: str, parts: list[str], depth: int, brackets: str = "()") -> str:
    """A call on one line if it fits, else one part a line."""
    left, right = brackets[0], brackets[1]
    flat = f"{head}{left}{', '.join(parts)}{right}"
    indent = "    " * depth
    if "\n" not in flat and len(indent) + len(flat) <= WIDTH - 12:
        return flat
    lines = "".join(f"{indent}    {part},\n" for part in parts)
    return f"{head}{left}\n{lines}{indent}{right}"


def _join(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part
