"""Runs a function in several processes that are joined by gloo, and brings back what they say."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

PATIENCE = timedelta(seconds=120)


def run_ranks(n: int, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What `work(rank, n, *arguments)` returns in each of n processes; it must be importable."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ranks"])  # torch is imported once for all of them
    with tempfile.TemporaryDirectory() as folder:
        ends = [context.Pipe(duplex=False) for _ in range(n)]
        processes = [
            context.Process(target=_rank, args=(rank, n, folder, ends[rank][1], work, arguments))
            for rank in range(n)
        ]
        for process in processes:
            process.start()
        for _, sender in ends:
            sender.close()  # or a dead process would leave its reader waiting
        try:
            return [receiver.recv() for receiver, _ in ends]
        finally:
            for process in processes:
                process.join()


def _rank(
    rank: int,
    n: int,
    folder: str,
    sender: Connection,
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(Path(folder) / "meeting"), n)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=n, timeout=PATIENCE)
    try:
        sender.send(work(rank, n, *arguments))
    finally:
        dist.destroy_process_group()
