"""Many runs through the queue, resumable: each has a key, so a second start finds the first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.parts.experiment.trainings import submit
from benchmarks.parts.sizes import Config, Size, Spec
from recede.client import RecedeClient
from recede.contract.schemas import CurveOut, RunOut
from recede.contract.states import JobKind, State

POLL_S = 2.0


@dataclass
class Cell:
    """One seed of one configuration: its training, and one more training for each cut."""

    config: Config
    seed: int
    dense: RunOut
    tuned: dict[float, RunOut] = field(default_factory=dict)
    curve: CurveOut | None = None


@dataclass
class Campaign:
    """Submits all of a size and follows it to its end."""

    client: RecedeClient
    size: Size
    say: Callable[[str], None]
    cells: list[Cell] = field(default_factory=list)

    def run(self) -> list[Cell]:
        """Everything trained, cut, measured and trained on; what exists already is reused.

        Raises:
            RuntimeError: a run failed or was cancelled; resume or delete it and start again.
        """
        started = time.monotonic()
        self.cells = [
            Cell(config, seed, self._submit(config, seed, {**config.spec, "seed": seed}, "dense"))
            for config in self.size.configs
            for seed in config.seeds
        ]
        while not self._advance():
            time.sleep(POLL_S)
        self.say(f"all of it took {(time.monotonic() - started) / 60:.1f} minutes in this process")
        return self.cells

    def _advance(self) -> bool:
        """Look at every cell once; True when nothing is left to do."""
        done = True
        for cell in self.cells:
            if cell.curve is None:
                cell.dense = self.client.run(cell.dense.id)
                self._refuse_failed(cell, cell.dense)
                if cell.dense.state is State.SUCCEEDED and not self._measuring(cell.dense.id):
                    cell.curve = self.client.curve(cell.dense.id)
                    self.say(f"{cell.config.label}, seed {cell.seed}: {_summary(cell.dense)}")
                    for ratio in self.size.ratios:
                        cell.tuned[ratio] = self._submit_tuned(cell, ratio)
                done = False
            for ratio, run in cell.tuned.items():
                if not run.state.is_final:
                    cell.tuned[ratio] = self.client.run(run.id)
                    done = False
                self._refuse_failed(cell, cell.tuned[ratio])
        return done

    def _submit_tuned(self, cell: Cell, ratio: float) -> RunOut:
        spec = cell.config.spec
        method = next(m for m in self.client.catalog().methods if m.name == spec["method"])
        plan = {"ratio": ratio, "scope": method.scope}
        without = {"lam": 0.0} if "lam" in spec["method_params"] else {}
        tuned = {
            **spec,
            **self.size.finetune,
            "method_params": {**spec["method_params"], **without},
            "seed": cell.seed,
            "init": {"run": cell.dense.id, "plan": plan},
        }
        return self._submit(cell.config, cell.seed, tuned, f"cut {ratio:g}")

    def _submit(self, config: Config, seed: int, spec: Spec, stage: str) -> RunOut:
        return submit(self.client, f"{config.label}, seed {seed}, {stage}", spec)

    def _measuring(self, run_id: str) -> bool:
        found = self.client.jobs(run_id=run_id, kind=JobKind.CURVE).items
        return not found or any(not job.state.is_final for job in found)

    @staticmethod
    def _refuse_failed(cell: Cell, run: RunOut) -> None:
        if run.state in (State.FAILED, State.CANCELLED):
            why = run.error.message if run.error else run.state
            raise RuntimeError(f"{cell.config.label}, seed {cell.seed}, run {run.id}: {why}")


def _summary(run: RunOut) -> str:
    assert run.test_accuracy is not None
    lossless = f"{run.lossless_ratio:.0%}" if run.lossless_ratio is not None else "?"
    return f"dense {100 * run.test_accuracy.value:.2f} % on test, lossless to {lossless}"


def by_config(cells: list[Cell]) -> Iterator[tuple[Config, list[Cell]]]:
    """The seeds of each configuration together, in the order of the size."""
    for label in dict.fromkeys(cell.config.label for cell in cells):
        own = [cell for cell in cells if cell.config.label == label]
        yield own[0].config, own
