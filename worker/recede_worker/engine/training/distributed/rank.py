"""The process of rank 1, 2, … of a training: follows rank 0, and touches no store and no file."""

from __future__ import annotations

import io
import signal
import sys
import traceback
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from recede.contract.spec.run import RunSpec
from recede_worker.engine.initial_weights.teacher import load_teacher
from recede_worker.engine.inputs.load import (
    load_data,
    network_for,
)
from recede_worker.engine.inputs.run import findings_folder
from recede_worker.engine.inputs.splits import Share
from recede_worker.engine.job.failures import failure_of
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.job.stop import Stop
from recede_worker.engine.training.distributed.process_group import ProcessGroup
from recede_worker.engine.training.epoch.recipe import make_step, train_one
from recede_worker.engine.training.epoch.step import Totals, TrainingDiverged
from recede_worker.networks.tracing import TracingOptions, tracing_with
from recede_worker.process.lifetime import end_with_parent, log

GO, STOP = b"go", b"stop"
"""Sent by rank 0 after each step, so that all stop after the same one."""


@dataclass(frozen=True)
class Prepare:
    """First command: read the data, build the network, and report "ready"."""

    input_shape: tuple[int, int, int]
    classes: int
    widths: dict[str, int] | None
    start: Path
    """Folder of the weights that the run starts from, which holds its teacher."""


@dataclass(frozen=True)
class Join:
    """Second command: join the process group; the weights come from rank 0."""

    optimiser: bytes
    """Its state, as torch.save writes it."""
    precision: str


@dataclass(frozen=True)
class Epoch:
    """Any further command: train this epoch. The last one is None."""

    number: int


def main(settings: WorkerSettings, spec: RunSpec, group: ProcessGroup, rank_0: Connection) -> None:
    """Follow rank 0 until it sends None or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all of us: rank 0 decides
        signal.signal(number, signal.SIG_IGN)
    end_with_parent(f"rank {group.rank}: the job's process")
    settings = replace(settings, threads=max(1, settings.threads // group.size))
    torch.set_num_threads(settings.threads)
    try:
        _follow(settings, spec, group, rank_0)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # rank 0 has ended, so this process does too
    except Exception as error:  # noqa: BLE001 - the boundary of the process: it reports the failure
        log(f"rank {group.rank} failed:\n{traceback.format_exc()}")
        rank_0.send(failure_of(error, group.device, spec))
        sys.exit(1)


def _follow(
    settings: WorkerSettings, spec: RunSpec, group: ProcessGroup, rank_0: Connection
) -> None:
    prepare: Prepare = rank_0.recv()
    data = load_data(spec, settings, lambda *_: None)
    options = TracingOptions(findings_folder(settings), settings.trace_limits)
    with tracing_with(options):
        network = network_for(
            spec,
            prepare.input_shape,
            prepare.classes,
            prepare.widths,
            own_networks=settings.networks,
        )
        teacher = load_teacher(prepare.start, settings.networks) if spec.distill else None
    step = make_step(spec, network, group.device, teacher)
    split = data.train.to(group.device)
    rank_0.send("ready")
    join: Join = rank_0.recv()
    step.optimiser.load_state_dict(torch.load(io.BytesIO(join.optimiser), weights_only=True))
    step.precision = "bf16" if join.precision == "bf16" else "fp32"
    group.join()
    group.share(step, network, len(split), spec.batch_size)

    def follow(_totals: Totals) -> None:
        if rank_0.recv_bytes() == STOP:
            raise Stop

    share = Share(group.rank, group.size)
    try:
        while (command := _next(rank_0)) is not None:
            train_one(step, split, spec, data, command.number, follow, share)
    except (Stop, TrainingDiverged):
        pass  # rank 0 knows it as well, and records it
    dist.destroy_process_group()


def _next(rank_0: Connection) -> Epoch | None:
    command: Any = rank_0.recv()
    assert command is None or isinstance(command, Epoch)
    return command
