"""The forward of one module, traced: what it computes with the modules below it left whole."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from recede_worker.source import parts
from recede_worker.source.graph import simplified
from recede_worker.source.layers import (
    OF_TORCH,
    STRUCTURES,
    NotPlain,
    is_of_torch,
)

CLOSE = 1e-5
"""Of the largest output: how far a rewritten module may be from the original."""


@dataclass
class Call:
    """The first call of one module in a pass through the network."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any
    is_identity: bool
    """Whether the output is the input, unchanged."""


TEMPLATES: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm2d: parts.NormThen,
    nn.Conv2d: parts.SameConv2d,
}


@torch.no_grad()
def observed(model: nn.Module, images_NCHW: Tensor) -> dict[str, Call]:
    """The first call of every module but the layers of torch.nn."""
    calls: dict[str, Call] = {}
    waiting: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def before(name: str) -> Callable[..., None]:
        def note(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            waiting.setdefault(name, (copied(args), copied(kwargs)))

        return note

    def after(name: str) -> Callable[..., None]:
        def note(
            _module: nn.Module, args: tuple[Any, ...], _kwargs: dict[str, Any], output: Any
        ) -> None:
            if name not in calls:
                same = len(args) == 1 and output is args[0] and isinstance(output, Tensor)
                same = same and torch.equal(output, waiting[name][0][0])
                calls[name] = Call(*waiting[name], copied(output), same)

        return note

    handles = []
    for name, module in model.named_modules():
        if not is_of_torch(module) or isinstance(module, STRUCTURES):
            handles.append(module.register_forward_pre_hook(before(name), with_kwargs=True))
            handles.append(module.register_forward_hook(after(name), with_kwargs=True))
    model(images_NCHW)
    for handle in handles:
        handle.remove()
    return calls


def copied(value: Any) -> Any:
    """A copy whose tensors are not altered by what comes later."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(copied(part) for part in value)
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return value


def plain_kind(module: nn.Module, call: Call) -> type[nn.Module] | None:
    """The class of torch.nn that computes the same as a class below it, if there is one."""
    for kind in type(module).__mro__[1:]:
        if kind in (nn.Module, *STRUCTURES) or not kind.__module__.startswith(OF_TORCH):
            continue
        if getattr(nn, kind.__name__, None) is kind and not list(module.children()):
            return kind if _computes(kind.forward, module, call) else None
    return None


def template_of(module: nn.Module, call: Call) -> type[nn.Module] | None:
    """NormThen or SameConv2d, if it computes what one of these does."""
    for kind, template in TEMPLATES.items():
        if isinstance(module, kind) and not is_of_torch(module):
            twin = copy.copy(module)
            twin.__class__ = template
            return template if _computes(template.forward, twin, call) else None
    return None


def _computes(forward: Callable[..., Any], module: nn.Module, call: Call) -> bool:
    """Whether this forward gives what the module gave."""
    try:
        output = forward(module, *copied(call.args), **copied(call.kwargs))
    except (TypeError, RuntimeError, AttributeError, ValueError):
        return False
    return agree(output, call.output)


class _Tracer(fx.Tracer):
    """Leaves every module whole but those that are traced as parts of the one above."""

    proxy_buffer_attributes = True

    def __init__(self, name: str, inlined: Collection[str]) -> None:
        super().__init__()
        self.prefix = f"{name}." if name else ""
        self.inlined = inlined

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return self.prefix + module_qualified_name not in self.inlined


def traced(name: str, module: nn.Module, call: Call, inlined: Collection[str]) -> fx.Graph:
    """Its graph, for images of any size and number.

    Raises:
        NotPlain: what was traced computes something else.
        Exception: whatever its code raises when it is traced.
    """
    tracer = _Tracer(name, inlined)
    fixed = _fixed(module, call)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = simplified(tracer.trace(module, concrete_args=fixed or None))
    given = len(call.args)
    for place, node in reversed(list(enumerate(n for n in graph.nodes if n.op == "placeholder"))):
        title = str(node.target).removesuffix("_1")
        if not node.users and place >= given and title not in call.kwargs:
            graph.erase_node(node)
        elif title in fixed:
            node.target, node.args = title, (fixed[title],)
    _require_equal(fx.GraphModule(module, graph), call)
    keep_constants(module, graph, module)
    return graph


def _fixed(module: nn.Module, call: Call) -> dict[str, Any]:
    """Arguments that are no tensors: their values decide which way the code goes."""
    parameters = inspect.signature(module.forward).parameters
    names = list(parameters)
    passed = dict(zip(names, call.args, strict=False)) | call.kwargs
    fixed = {}
    for name, parameter in parameters.items():
        value = passed.get(name, parameter.default)
        if value is None or isinstance(value, bool | str) or name not in passed:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            fixed[name] = value
    return fixed


def exported(module: nn.Module, call: Call) -> fx.Graph:
    """Its graph of torch's operators, for any number of images of this size.

    Raises:
        NotPlain: its inputs are not tensors, or what was exported computes something else.
        Exception: whatever torch.export raises.
    """
    if call.kwargs or not call.args or not all(isinstance(a, Tensor) for a in call.args):
        raise NotPlain("it takes something else than tensors")
    dynamic = tuple({0: torch.export.Dim.AUTO} for _ in call.args)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program = torch.export.export(copy.deepcopy(module), call.args, dynamic_shapes=dynamic)
        plain: Any = program.module()
    _require_equal(plain, call)
    graph = simplified(plain.graph)
    if isinstance(call.output, Tensor):  # the exporter gives a tuple of all outputs
        outputs: Any = graph.output_node().args[0]
        graph.output_node().args = (outputs[0],)
    keep_constants(module, graph, plain)
    return graph


def keep_constants(module: nn.Module, graph: fx.Graph, owner: nn.Module) -> None:
    """Make tensors that tracing found buffers of the module, which its file does not hold."""
    known = {*dict(module.named_parameters()), *dict(module.named_buffers())}
    for node in graph.nodes:
        name = str(node.target)
        if node.op == "get_attr" and name not in known:
            value: Any = owner
            for part in name.split("."):
                value = getattr(value, part)
            if not isinstance(value, Tensor) or "." in name:
                raise NotPlain(f"it reads {name}, which is no tensor of its own")
            module.__dict__.pop(name, None)
            module.register_buffer(name, value.detach(), persistent=False)


def _require_equal(made: nn.Module, call: Call) -> None:
    with torch.no_grad():
        output = made(*copied(call.args), **copied(call.kwargs))
    if not agree(output, call.output):
        raise NotPlain("what was traced computes something else")


def agree(a: Any, b: Any) -> bool:
    """Whether two outputs are equal but for rounding."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        limit = CLOSE * max(1.0, float(b.abs().max())) if b.numel() else 0.0
        return bool(((a - b).abs() <= limit).all())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(agree(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
