"""Where the outside comes in: the environment, and errors of any kind."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house import files

READS_THE_ENVIRONMENT = {
    "backend/recede/cli/files/inspect.py",
    "backend/recede/cli/service/commands.py",
    "backend/recede/cli/service/doctor.py",
    "backend/recede/cli/service/keeper.py",
    "backend/recede/sdk/watching/watch.py",
    "worker/recede_worker/__main__.py",
}
"""Where a program starts, or starts another one; everything else is handed its settings.

recede.watch is called by a program that is not ours, and torchrun says its rank there."""

_WORKER = "worker/recede_worker"
CATCHES_EVERYTHING = {
    # A fault of ours must not end somebody's training, in which it would be raised.
    "backend/recede/sdk/watching/trouble.py:caught",
    # Somebody's own evaluate, which may raise anything.
    "backend/recede/sdk/serving/network.py:tried",
    # onnxruntime, which has no common class for what a file may cause.
    "backend/recede/bench/onnx_latency.py:open_session",
    # The boundaries of a job and of its processes, which record the failure.
    f"{_WORKER}/engine/supervisor/entry.py:_run",
    f"{_WORKER}/engine/training/distributed/rank.py:main",
    f"{_WORKER}/process/sandbox.py:_answer",
    # A map of accuracies beside a training must not end the training.
    f"{_WORKER}/engine/training/prunability/map.py:after",
    # Third-party or user code, which may raise anything while it is imported, built or traced.
    f"{_WORKER}/core/cutting/discover.py:_holds",
    f"{_WORKER}/core/cutting/discover.py:_traced",
    f"{_WORKER}/core/graph/entry.py:_takes",
    f"{_WORKER}/core/graph/trace.py:_smaller",
    f"{_WORKER}/networks/own.py:own_networks",
    f"{_WORKER}/networks/traced.py:_source",
    f"{_WORKER}/networks/traced.py:built_original",
    f"{_WORKER}/source/tree.py:_trace",
    # Before there is a process that could report it: the first that asks for it does.
    f"{_WORKER}/plugins/preload.py:_find_all",
    # torch's exporters: what one cannot write must not cost the other files.
    f"{_WORKER}/engine/pruning/job.py:_kept_apart",
    # Downloaded files, which may be damaged or hostile.
    f"{_WORKER}/engine/verification/safe_program.py:_of_pickle",
    f"{_WORKER}/engine/verification/verify.py:judge",
    f"{_WORKER}/engine/verification/verify.py:network",
    f"{_WORKER}/programs/bench_files.py:add",
}
"""File and function of each handler that may swallow any error."""


def test_the_environment_is_read_where_programs_start():
    found = {
        str(path)
        for path in files.under(*files.FOLDERS, suffix=".py")
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.Attribute) and _name(node) in ("os.environ", "os.getenv")
    }
    assert found == READS_THE_ENVIRONMENT


def _name(node: ast.Attribute) -> str:
    inner = node.value
    return f"{inner.id}.{node.attr}" if isinstance(inner, ast.Name) else ""


def test_errors_of_any_kind_are_caught_at_boundaries_alone():
    found = {
        f"{path}:{_function(path, node)}"
        for path in files.under(*files.FOLDERS, suffix=".py")
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node)
    }
    assert found == CATCHES_EVERYTHING


def _catches_all(node: ast.ExceptHandler) -> bool:
    """Whether it swallows anything; one that only cleans up and raises again does not."""
    names = (
        {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)}
        if node.type
        else set()
    )
    broad = node.type is None or bool(names & {"Exception", "BaseException"})
    again = any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(node))
    return broad and not again


def _function(path: Path, handler: ast.ExceptHandler) -> str:
    holders = [
        node
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= handler.lineno <= (node.end_lineno or 0)
    ]
    return max(holders, key=lambda node: node.lineno).name if holders else "module"
