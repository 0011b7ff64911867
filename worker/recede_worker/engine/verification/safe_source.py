"""Whether a model.py is nothing but layers: then it can be run although its author is unknown.

Only what a network is made of is allowed: classes and functions of plain statements, names of
its own, layers of torch.nn and operators that turn tensors into tensors. The functions that
read the weights must be those that Recede writes, word for word.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import torch

from recede_worker.source.write import loading_part

IMPORTS = {
    *("import json", "import math", "import torch", "from torch import nn"),
    *("from pathlib import Path", "from collections import OrderedDict"),
}
ROOTS = {"torch", "nn", "math"}
"""Names of modules: they may only be the beginning of a longer name."""
NAMES = {
    *("OrderedDict", "super", "len", "range", "zip", "enumerate", "isinstance", "reversed"),
    *("int", "float", "bool", "str", "list", "tuple", "dict", "max", "min", "abs", "round", "sum"),
}
TYPES = {"Tensor", "Size", "device", "tensor", "inf", "nan"}
OF_MODULES = {
    *("register_parameter", "register_buffer", "add_module", "children", "items", "append"),
    *("values", "keys", "forward", "shape", "device", "dtype", "ndim", "T"),
    *("kernel_size", "stride", "dilation", "weight", "bias", "running_mean", "running_var"),
}
REFUSED = {"from_file", "save", "load", "tofile", "numpy", "storage", "apply", "set_", "format"}
INNER = ("__", "gi_", "f_", "cr_", "ag_", "tb_", "co_", "func_", "im_")
"""Beginnings of names by which Python's own insides are reached."""
NODES = (
    *(ast.Module, ast.ClassDef, ast.FunctionDef, ast.arguments, ast.arg, ast.keyword),
    *(ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.If, ast.Expr, ast.Pass),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.List, ast.Tuple, ast.Set),
    *(ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.comprehension, ast.Compare, ast.Call),
    *(ast.Constant, ast.Attribute, ast.Subscript, ast.Starred, ast.Name, ast.Slice, ast.Import),
    *(ast.ImportFrom, ast.alias, ast.expr_context, ast.boolop, ast.operator, ast.unaryop),
    *(ast.cmpop, ast.Continue, ast.Break),
)


def why_not(source: str) -> str | None:
    """What in the source is more than a network, with its line; None if there is nothing."""
    try:
        tree = ast.parse(source)
        ours = {ast.dump(node) for node in ast.parse(loading_part()).body}
        rest = [node for node in tree.body if ast.dump(node) not in ours]
        return next(_Reader(rest).problems(), None)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"it is not Python: {error}"


def is_operator(name: str) -> bool:
    """Whether torch has an operator of that name that makes tensors of tensors."""
    return not name.startswith("__") and name not in REFUSED and hasattr(torch.ops.aten, name)


class _Reader:
    def __init__(self, body: list[ast.stmt]) -> None:
        self.body = body
        self.nodes = [node for statement in body for node in ast.walk(statement)]
        self.inner = {id(n.value) for n in self.nodes if isinstance(n, ast.Attribute)}
        """What a longer name begins with: it is judged as a part of that."""
        self.called = {id(n.func) for n in self.nodes if isinstance(n, ast.Call)}
        self.known = set(self._own_names())

    def problems(self) -> Iterator[str]:
        for node in self.nodes:
            problem = self._problem(node)
            if problem is not None:
                yield f"line {getattr(node, 'lineno', '?')}: {problem}"
        for node in self.body:
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            defines = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Import)
            if not (is_text or defines or isinstance(node, ast.ImportFrom)):
                yield f"line {node.lineno}: a statement outside of classes and functions"

    def _own_names(self) -> Iterator[str]:
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield node.attr
            elif isinstance(node, ast.arg | ast.keyword):
                yield node.arg or ""
            elif isinstance(node, ast.Dict):
                yield from (str(k.value) for k in node.keys if isinstance(k, ast.Constant))
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield node.name

    def _problem(self, node: ast.AST) -> str | None:
        if not isinstance(node, NODES):
            return f"{type(node).__name__} is not part of a network"
        if isinstance(node, ast.Import | ast.ImportFrom) and ast.unparse(node) not in IMPORTS:
            return f"{ast.unparse(node)!r} brings in more than torch"
        if isinstance(node, ast.ClassDef) and (node.decorator_list or node.keywords):
            return "a decorator or metaclass"
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            return "a decorator"
        if isinstance(node, ast.FunctionDef) and node.name.startswith(INNER):
            return None if node.name == "__init__" else f"the method {node.name}"
        if isinstance(node, ast.Name):
            return self._of_name(node)
        if isinstance(node, ast.Attribute) and id(node) not in self.inner:
            return self._of_attribute(node)
        if isinstance(node, ast.Attribute) and _chain(node)[0] not in ROOTS:
            return self._of_attribute(node)
        if isinstance(node, ast.Call) and _is_name(node.func, "getattr"):
            return _of_getattr(node)
        return None

    def _of_name(self, node: ast.Name) -> str | None:
        name = node.id
        if isinstance(node.ctx, ast.Store):
            given = name in ROOTS | NAMES or name.startswith(INNER) or name == "getattr"
            return f"{name!r} is given another meaning" if given else None
        if name in ROOTS:
            return None if id(node) in self.inner else f"{name} is passed on as a whole"
        if name == "getattr":
            return None if id(node) in self.called else "getattr is passed on"
        return None if name in NAMES | self.known else f"the name {name!r}"

    def _of_attribute(self, node: ast.Attribute) -> str | None:
        path = _chain(node)
        name = node.attr
        if isinstance(node.ctx, ast.Store) and path[0] != "self":
            return f"{ast.unparse(node)} is altered"
        if path[0] in ROOTS:
            return None if _is_of_torch(path) else f"{'.'.join(path)} is no layer or operator"
        if name == "__init__" and isinstance(node.value, ast.Call):
            return None if _is_name(node.value.func, "super") else "__init__ of something else"
        if name.startswith(INNER) or name in REFUSED:
            return f"the attribute {name!r}"
        allowed = name in self.known or name in OF_MODULES or is_operator(name)
        return None if allowed else f"the attribute {name!r}"


def _chain(node: ast.expr) -> list[str]:
    """["torch", "nn", "functional"] of such a name; [""] at the front if it begins otherwise."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    names.append(node.id if isinstance(node, ast.Name) else "")
    return names[::-1]


def _is_of_torch(path: list[str]) -> bool:
    """A layer, a function of nn.functional, an operator, a type; never a module or a loader."""
    if path[:2] == ["torch", "nn"]:
        path = path[1:]
    if path[0] == "math":
        return len(path) == 2 and not path[1].startswith("_")
    if path[0] == "nn":
        return _is_of_nn(path[1:])
    if path[1:3] == ["ops", "aten"]:
        return len(path) in (4, 5) and is_operator(path[3]) and path[4:5] != ["__class__"]
    if len(path) != 2:
        return False
    found = getattr(torch, path[1], None)
    is_function = callable(found) and not isinstance(found, type) and is_operator(path[1])
    return is_function or isinstance(found, torch.dtype) or path[1] in TYPES


def _is_of_nn(path: list[str]) -> bool:
    if len(path) == 2 and path[0] == "functional":
        found = getattr(torch.nn.functional, path[1], None)
        return callable(found) and not isinstance(found, type) and not path[1].startswith("_")
    kind = getattr(torch.nn, path[0], None) if len(path) == 1 else None
    allowed = (torch.nn.Module, torch.nn.Parameter)
    return isinstance(kind, type) and issubclass(kind, allowed)


def _of_getattr(node: ast.Call) -> str | None:
    """getattr(self.blocks, "0"): how a part is reached whose name is a number."""
    name = node.args[1] if len(node.args) == 2 else None
    is_part = isinstance(name, ast.Constant) and str(name.value).isdigit()
    return None if is_part and not node.keywords else "getattr of something else than a part"


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
