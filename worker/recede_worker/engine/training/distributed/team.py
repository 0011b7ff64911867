"""A training shared by several processes: the job's own is rank 0, which starts and leads them.

Only rank 0 touches the store and the run's files. The others follow its commands (rank.py).
In a step they wait for each other; between steps they wait for rank 0, however long it takes.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
import torch.distributed as dist

from recede.contract.errors import RecedeError
from recede.contract.states import State
from recede.store.queue import lease as leases
from recede_worker.core.norms.synced import desynchronise
from recede_worker.engine.initial_weights.take_over import start_folder
from recede_worker.engine.inputs.load import Data, Network
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.inputs.splits import WHOLE, Share
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.job.stop import Stop
from recede_worker.engine.training.distributed import rank
from recede_worker.engine.training.distributed.process_group import ProcessGroup
from recede_worker.engine.training.distributed.watchdog import (
    RankDied,
    RankFailed,
    Watchdog,
)
from recede_worker.engine.training.epoch.step import Reduction, Step
from recede_worker.process.lifetime import EXIT_RANK_DIED, warm_context

POLL_S = 0.2
NOTICE_S = 5.0
"""How long a failed step waits for the reason, which another process may still report."""
END_S = 10.0
"""A process that was asked to end and has not by then is killed."""


class Team:
    """The other processes of a training; this team has none."""

    share: Share = WHOLE

    def prepare(self, network: Network, data: Data) -> None:
        """Let the others read the data and build the network."""

    def join(self, step: Step, network: Network, data: Data) -> None:
        """Form the process group: from now on all take `step`, from these weights."""

    def begin(self, epoch: int) -> None:
        """Let the others train this epoch."""

    def check(self, check: Callable[[], None]) -> None:
        """After each step: `check` may raise Stop, and then all stop after the same step."""
        check()


@contextmanager
def team_of(job: JobHandle, run: RunInputs) -> Iterator[Team]:
    """The processes that a run uses; they end with the block, however it ends.

    Raises:
        RankFailed: another process raised an error; the message has its text.
        RankDied: another process ended without a report.
    """
    if run.spec.processes == 1:
        yield Team()
        return
    with tempfile.TemporaryDirectory(prefix="recede-") as folder:
        ranks = _Ranks(job, run, Path(folder))
        patient = False
        try:
            ranks.start()
            yield ranks
            patient = True
        except Stop:
            patient = True
            raise
        except Exception as error:
            reason = ranks.reason_of(error)
            if reason is None:
                raise
            raise reason from error
        finally:
            ranks.end(patient=patient)
            ranks.release()


class _Ranks(Team):
    """The other processes as rank 0 sees them."""

    def __init__(self, job: JobHandle, run: RunInputs, folder: Path) -> None:
        self.job, self.run, self.spec = job, run, run.spec
        spec = run.spec
        self.share = Share(0, spec.processes)
        self.groups = [
            ProcessGroup(number, spec.processes, torch.device(device), folder)
            for number, device in enumerate(job.lease.devices)
        ]
        assert len(self.groups) == spec.processes
        self.threads, self.hook = torch.get_num_threads(), sys.excepthook
        self.links: list[Connection] = []
        self.processes: list[BaseProcess] = []
        self.joined: tuple[Step, torch.nn.Module, Network] | None = None
        self.watchdog: Watchdog | None = None

    def start(self) -> None:
        """Start a process for each rank but the first; they load torch while rank 0 goes on."""
        context = warm_context("recede_worker.engine.training.distributed.rank")
        for group in self.groups[1:]:
            ours, theirs = context.Pipe()
            process = context.Process(
                target=rank.main,
                args=(self.run.settings, self.spec, group, theirs),
                name=f"rank-{group.rank}",
            )
            self.links.append(ours)
            process.start()
            self.processes.append(process)
            theirs.close()  # the only other end is theirs, so its closing is noticed
        self.watchdog = Watchdog(self.links, self.processes, self._stuck)

    def prepare(self, network: Network, data: Data) -> None:
        """Let the others read the data and build the network."""
        classes = len(data.classes)
        architecture, params = network.architecture, self.spec.architecture_params
        channels, height, _ = data.input_shape
        whole = architecture.config(channels, classes, height, params, self.spec.prunable)
        widths = {group.name: group.size for group in network.shape.groups}
        cut = None if network.config == whole else widths
        self._send(rank.Prepare(data.input_shape, classes, cut, start_folder(self.run)))

    def join(self, step: Step, network: Network, data: Data) -> None:
        """Form the process group: from now on all take `step`, from these weights."""
        assert self.watchdog is not None
        self.job.log(f"waiting for {len(self.links)} more processes")
        while not self.watchdog.all_ready(POLL_S):
            self._raise_failure()
            self.job.check()
        state = io.BytesIO()
        torch.save(step.optimiser.state_dict(), state)
        self._send(rank.Join(state.getvalue(), step.precision))
        torch.set_num_threads(max(1, self.run.settings.threads // self.spec.processes))
        self.joined = (step, step.forward, network)
        self.groups[0].join()
        self.groups[0].share(step, network, len(data.train), self.spec.batch_size)
        self.job.log(f"{self.spec.processes} processes share each batch")

    def begin(self, epoch: int) -> None:
        """Let the others train this epoch."""
        self._send(rank.Epoch(epoch))

    def check(self, check: Callable[[], None]) -> None:
        """After each step: `check` may raise Stop, and then all stop after the same step."""
        self._raise_failure()
        try:
            check()
        except Stop:
            self._signal(rank.STOP)
            raise
        self._signal(rank.GO)

    def end(self, *, patient: bool) -> None:
        """End the other processes: by a command if they can still receive it, else by force."""
        if self.watchdog is not None:
            self.watchdog.stop()
        if patient and self.joined is not None:
            with suppress(OSError):  # after a stop they have ended already
                self._to_all(lambda link: link.send(None))
            dist.destroy_process_group()
            for process in self.processes:
                process.join(END_S)
        for process in self.processes:
            process.kill()
            process.join()

    def reason_of(self, error: Exception) -> Exception | None:
        """Why a step failed, if another process caused it."""
        if self.watchdog is None or isinstance(error, RecedeError | Stop | RankDied | MemoryError):
            return None
        if not isinstance(error, RuntimeError | OSError | EOFError):
            return None
        if isinstance(error, torch.OutOfMemoryError):
            return None
        return self.watchdog.failure(NOTICE_S)

    def _send(self, command: rank.Prepare | rank.Join | rank.Epoch) -> None:
        self._to_all(lambda link: link.send(command))

    def _signal(self, signal: bytes) -> None:
        self._to_all(lambda link: link.send_bytes(signal))

    def _to_all(self, send: Callable[[Connection], None]) -> None:
        for link in self.links:
            send(link)  # an OSError, if its process has died: see reason_of

    def _raise_failure(self) -> None:
        assert self.watchdog is not None
        reason = self.watchdog.failure(0.0)
        if reason is not None:
            raise reason

    def _stuck(self, reason: Exception) -> None:
        """Called by the watchdog when this process hangs in a step: end it, with the reason."""
        self.job.log(f"{reason}; the step does not end, so this process ends")
        if isinstance(reason, RankFailed):
            with suppress(leases.LeaseLost), self.job.store.write() as session:
                leases.finish(session, self.job.lease, State.FAILED, error=reason.as_dict())
        os._exit(EXIT_RANK_DIED)

    def release(self) -> None:
        """Restore step, network and this process to how they were."""
        for link in self.links:
            link.close()
        if self.joined is not None:
            step, forward, network = self.joined
            step.forward, step.reduction = forward, Reduction()
            desynchronise(network.model)
        if dist.is_initialized() and dist.get_backend() == "gloo":
            dist.destroy_process_group()  # NCCL would wait for the dead; this process ends anyway
        torch.set_num_threads(self.threads)
        sys.excepthook = self.hook  # which torch.distributed has replaced
