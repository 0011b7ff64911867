"""A traced computation as the readable text of a `forward`.

What is written uses torch alone; a value takes the name of one that is not needed any more, so
that memory is freed as in the original.
"""

from __future__ import annotations

import math
import operator
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from recede_worker.source.layers import (
    NotPlain,
    is_structure,
    literal,
)

INFIX: dict[Any, str] = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.floordiv: "//",
    operator.mod: "%",
    operator.pow: "**",
    operator.matmul: "@",
    operator.eq: "==",
    operator.ne: "!=",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.and_: "&",
    operator.or_: "|",
}
IN_PLACE: dict[Any, str] = {
    operator.iadd: "+=",
    operator.isub: "-=",
    operator.imul: "*=",
    operator.itruediv: "/=",
}
IGNORED = (
    *("_assert", "_assert_is_none", "_assert_tensor_metadata", "_assert_scalar"),
    "sym_constrain_range_for_size",
)
"""Checks of the original on its input."""
NAMES = ("out", "side", "third", "fourth")


def simplified(graph: fx.Graph) -> fx.Graph:
    """The same without the original's checks and without what nobody uses."""
    for node in reversed(list(graph.nodes)):
        name = getattr(node.target, "__name__", str(node.target)).partition(".")[0]
        is_guard = node.op == "call_module" and str(node.target).startswith("_guards")
        if is_guard or (node.op == "call_function" and name in IGNORED):
            graph.erase_node(node)
    graph.eliminate_dead_code(lambda node: node.op in ("placeholder", "output") or _alters(node))
    return graph


def _alters(node: fx.Node) -> bool:
    """Whether a node nobody reads may change a tensor in place."""
    name = getattr(node.target, "__name__", str(node.target)).partition(".")[0]
    return node.op == "call_module" or node.target in IN_PLACE or name.endswith("_")


def forward_text(graph: fx.Graph, root: nn.Module) -> str:
    """`def forward(self, x): …` of a simplified graph, indented by four.

    Raises:
        NotPlain: something that is used is not torch's.
    """
    printer = _Printer(graph, root)
    body = printer.lines()
    return "\n".join([f"    def forward(self, {printer.signature()}):", *body])


class _Printer:
    def __init__(self, graph: fx.Graph, root: nn.Module) -> None:
        self.graph = graph
        self.root = root
        self.names: dict[fx.Node, str] = {}
        self.last_use: dict[fx.Node, fx.Node] = {}
        self.inputs = [node for node in graph.nodes if node.op == "placeholder"]
        for node in graph.nodes:
            for used in node.all_input_nodes:
                self.last_use[used] = node

    def signature(self) -> str:
        parts = []
        for node in self.inputs:
            default = f"={literal(node.args[0])}" if node.args else ""
            parts.append(f"{self.names[node]}{default}")
        return ", ".join(parts)

    def lines(self) -> list[str]:
        for node in self.inputs:
            first = len(self.inputs) == 1
            self.names[node] = "x" if first else str(node.target).lstrip("*")
        found = []
        for node in self.graph.nodes:
            if node.op == "output":
                found.append(_wrapped(f"return {self.value(node.args[0])}"))
            elif node.op == "get_attr":
                self.names[node] = path(self.root, str(node.target))
            elif node.op != "placeholder":
                found.append(_wrapped(self.statement(node)))
        return found

    def statement(self, node: fx.Node) -> str:
        if node.target in IN_PLACE:
            left, right = node.args
            assert isinstance(left, fx.Node)
            self.names[node] = self.names[left]
            return f"{self.names[left]} {IN_PLACE[node.target]} {self.value(right)}"
        text = self.expression(node)
        self.names[node] = self.free_name(node)
        return f"{self.names[node]} = {text}" if node.users else text

    def free_name(self, node: fx.Node) -> str:
        """The name of an input that is used for the last time here, or a new one."""
        held = {
            self.names[n]
            for n, last in self.last_use.items()
            if n in self.names and last is not node and not self.is_over(last)
        }
        for used in node.all_input_nodes:
            name = self.names[used]
            if used.op != "get_attr" and name not in held:
                return name
        number = 2
        for name in NAMES:
            if name not in held:
                return name
        while f"value{number}" in held:
            number += 1
        return f"value{number}"

    def is_over(self, node: fx.Node) -> bool:
        return node in self.names

    def expression(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return f"{path(self.root, str(node.target))}({self.arguments(node)})"
        if node.op == "call_method":
            owner, *rest = node.args
            return f"{self.value(owner)}.{node.target}({self.arguments(node, rest)})"
        target = node.target
        if target in INFIX:
            left, right = node.args
            return f"{self.value(left)} {INFIX[target]} {self.value(right)}"
        if target is getattr:
            return f"{self.value(node.args[0])}.{node.args[1]}"
        if target is operator.getitem:
            return f"{self.value(node.args[0])}[{self.index(node.args[1])}]"
        if target is operator.neg:
            return f"-{self.value(node.args[0])}"
        assert callable(target)
        return f"{function_name(target)}({self.arguments(node)})"

    def arguments(self, node: fx.Node, args: Any = None) -> str:
        parts = [self.value(arg) for arg in (node.args if args is None else args)]
        parts += [f"{name}={self.value(value)}" for name, value in node.kwargs.items()]
        return ", ".join(parts)

    def index(self, value: Any) -> str:
        parts = value if isinstance(value, tuple) else (value,)
        texts = []
        for part in parts:
            if isinstance(part, slice) and part.step is None:
                ends = ("" if end is None else self.value(end) for end in (part.start, part.stop))
                texts.append(":".join(ends))
            else:
                texts.append(self.value(part))
        return ", ".join(texts)

    def value(self, value: Any) -> str:
        if isinstance(value, fx.Node):
            return self.names[value]
        if isinstance(value, tuple):
            inner = ", ".join(self.value(part) for part in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        if isinstance(value, list):
            return f"[{', '.join(self.value(part) for part in value)}]"
        if isinstance(value, Mapping):
            raise NotPlain("a dictionary is passed in it")
        return literal(value)


def _wrapped(text: str) -> str:
    indent = " " * 8
    return textwrap.fill(
        text,
        98,
        initial_indent=indent,
        subsequent_indent=indent + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def path(root: nn.Module, dotted: str) -> str:
    """`self.layer1[0].conv1` of "layer1.0.conv1"."""
    text, owner = "self", root
    for part in dotted.split("."):
        is_listed = is_structure(owner) and part.isdigit()
        if is_listed:
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}"
        else:
            text = f'getattr({text}, "{part}")'
        owner = getattr(owner, part)
    return text


def function_name(function: Callable[..., Any]) -> str:
    """How a source calls a function of torch or math.

    Raises:
        NotPlain: it is somebody else's.
    """
    if isinstance(function, torch._ops.OpOverload):
        return _operator_name(function)
    name = getattr(function, "__name__", "")
    homes = (("torch", torch), ("nn.functional", functional), ("math", math))
    for text, home in homes:
        if getattr(home, name, None) is function:
            return f"{text}.{name}"
    if function in (len, max, min, abs, int, float, round):
        return name
    if getattr(Tensor, name, None) is function:
        return f"torch.Tensor.{name}"
    raise NotPlain(f"it calls {getattr(function, '__module__', '?')}.{name}")


def _operator_name(overload: torch._ops.OpOverload) -> str:
    """The public function of the same arguments where torch has one, else the operator."""
    namespace, _, name = str(overload).partition(".")
    name = name.partition(".")[0]
    if namespace != "aten":
        raise NotPlain(f"it calls the operator {overload}")
    if name == "pad":
        return "nn.functional.pad"
    if name in dir(torch._C._VariableFunctions):
        return f"torch.{name}"
    return f"torch.ops.{overload}"
