"""The train job: epochs from where the last process stopped, then the test set, once.

Of a run of no epochs only the weights that it was given are measured.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from recede.contract.cut.selection import Selection
from recede.contract.network.cost import dense_cost
from recede.contract.spec.run import (
    CurvePayload,
    Plan,
)
from recede.contract.spec.scaling import scaling_of
from recede.contract.states import JobKind
from recede.store.experiments import runs
from recede.store.results import evaluations
from recede_worker.core.state_dict import load_weights
from recede_worker.engine.checkpoints.weights import read_weights
from recede_worker.engine.evaluation.accuracy import Evaluation, evaluate
from recede_worker.engine.initial_weights.take_over import first_network, teacher_of
from recede_worker.engine.inputs.load import (
    Data,
    Network,
    load_data,
    method_of,
)
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.inputs.running_statistics import measure_again
from recede_worker.engine.inputs.splits import Split, n_batches
from recede_worker.engine.job.handle import JobHandle, Outcome
from recede_worker.engine.training.class_order import check_class_order
from recede_worker.engine.training.disk_space import check_disk_space
from recede_worker.engine.training.distributed.team import Team, team_of
from recede_worker.engine.training.epoch.recipe import (
    learning_rate,
    make_step,
    train_one,
)
from recede_worker.engine.training.epoch.step import Totals, TrainingDiverged
from recede_worker.engine.training.prunability.map import Prunability
from recede_worker.engine.training.recorder import Recorder
from recede_worker.engine.training.trainer_state import TrainerState, load_state
from recede_worker.images.dataset import Progress, UnreadableData

STATISTICS_SHARE, STATISTICS_LEAST, STATISTICS_MOST = 1 / 4, 256, 2_048
"""Training images on which the running statistics of gated networks are measured again."""


def n_statistics(n_train: int) -> int:
    """A share of the training images, between two numbers."""
    return min(STATISTICS_MOST, max(STATISTICS_LEAST, round(STATISTICS_SHARE * n_train)))


def run_training(job: JobHandle, run: RunInputs) -> Outcome:
    """Train the run to its last epoch; a curve job follows."""
    spec = run.spec
    with team_of(job, run) as team:
        data = _load(job, run)
        network = first_network(job, run, data)
        job.log(
            f"{spec.title()}: {network.shape.n_neurons} prunable neurons, {len(data.train)} "
            f"training, {len(data.validation)} validation and {len(data.test)} test images, "
            f"on {run.device}"
        )
        check_disk_space(job, run, network.model)
        team.prepare(network, data)
        trainer = _Trainer(job, run, data, network, team)
        state = trainer.start()
        team.join(trainer.step, network, data)
        while state.epoch < spec.epochs:
            state = trainer.epoch(state)
    trainer.test()
    curve = CurvePayload(scope=method_of(spec).info.scope)
    return Outcome(
        {"best_epoch": state.best_epoch, "epochs": state.epoch},
        follow_up=(JobKind.CURVE, curve.model_dump(mode="json")),
    )


class _Trainer:
    """Model, optimiser and splits of one training on its device."""

    def __init__(
        self,
        job: JobHandle,
        run: RunInputs,
        data: Data,
        network: Network,
        team: Team,
    ) -> None:
        self.job, self.run, self.data, self.network = job, run, data, network
        spec = self.spec = run.spec
        self.team = team
        self.train_split = data.train.to(run.device)
        self.val_split = data.validation.to(run.device)
        self.step = make_step(spec, network, run.device, teacher_of(job, run))
        if spec.distill is not None:
            job.log(
                "learning from the network before the cut: weight "
                f"{spec.distill.weight:g}, temperature {spec.distill.temperature:g}"
            )
        job.log(f"computing in {self.step.precision}" + (", compiled" * spec.compile))
        self.recorder = Recorder(job, run, network, data)
        self.map = Prunability(job, run, data, network, self.val_split)
        self.batches = n_batches(len(data.train), spec.batch_size, team.share)
        self.epoch_seconds = 0.0
        self.gated = scaling_of(method_of(spec).info, spec) == "gate"

    def start(self) -> TrainerState:
        """The state to go on from: the last saved one, or the untrained network."""
        saved = load_state(self.run.folder)
        if saved is None:
            self.job.progress("measuring", 0, 1, "steps", message="validation images, epoch 0")
            validation = self._evaluate(self.val_split)
            if not math.isfinite(validation.loss):
                raise TrainingDiverged.before_training(validation.loss)
            state = self._state(0, validation, _metrics(validation, validation.seconds))
            self.recorder.untrained(state)
            self.job.log(f"epoch 0 (before training): validation {_percent(validation)}")
            check_class_order(self.job, self.spec, self.data, validation)
            return state
        load_weights(self.network.model, saved.model)
        self.step.optimiser.load_state_dict(saved.optimiser)
        self.step.precision = saved.precision
        self.map.budget.restore(saved.map)
        self.job.log(f"resuming after epoch {saved.epoch}")
        if not self.recorder.has(saved.epoch):
            self.recorder.epoch(saved)
        return saved

    def epoch(self, state: TrainerState) -> TrainerState:
        """Train, evaluate and record the next epoch."""
        number = state.epoch + 1
        started = time.perf_counter()
        totals = self._train(number)
        if self.gated:
            self._measure_statistics(number)
        validation = self._evaluate(self.val_split)
        if not math.isfinite(validation.loss):
            raise TrainingDiverged.after(number, self.batches, validation.loss)
        self.epoch_seconds = time.perf_counter() - started
        rate = self._lr(number, self.batches - 1)
        done = self._state(
            number, validation, _metrics(validation, self.epoch_seconds, totals, rate), state
        )
        self.recorder.epoch(done)
        self.job.log(_line(done, validation))
        self.map.after(number, self.epoch_seconds, validation)
        return done

    def _state(
        self,
        number: int,
        validation: Evaluation,
        metrics: dict[str, Any],
        before: TrainerState | None = None,
    ) -> TrainerState:
        # The best is one that was trained, if any was, and of equals the later one: its
        # importances have receded further.
        best_epoch, best_correct = number, validation.correct
        if before and before.best_epoch > 0 and validation.correct < before.best_correct:
            best_epoch, best_correct = before.best_epoch, before.best_correct
        model = self.network.model.state_dict()
        return TrainerState(
            epoch=number,
            metrics=metrics,
            best_epoch=best_epoch,
            best_correct=best_correct,
            model={name: tensor.detach().cpu().clone() for name, tensor in model.items()},
            optimiser=self.step.optimiser.state_dict(),
            precision=self.step.precision,
            map=self.map.budget.earn(number, self.epoch_seconds) if number else {},
        )

    def test(self) -> None:
        """Evaluate the dense network of the best epoch on the test set, for the record."""
        run_id = self.job.run_id
        with self.job.read() as session:
            row = evaluations.trained(session, run_id, None)
        best = self.network.architecture.build(self.network.config)
        load_weights(best, read_weights(row, self.run.artifacts))
        self.job.progress("measuring", 0, 1, "steps", message="test set")
        test_split = self.data.test.to(self.run.device)
        result = evaluate(
            best.to(self.run.device), test_split, self.data.normalise, self.job.check
        )
        with self.job.write() as session:
            runs.set_results(session, run_id, test_correct=result.correct, n_test=result.n)
        self.job.log(f"test set, best epoch {row.epoch}: {_percent(result)}")
        if self.spec.fine_tunes:
            self._test_start(test_split)

    def _test_start(self, test_split: Split) -> None:
        """The same for the cut network that fine-tuning began with: epoch 0."""
        start = first_network(self.job, self.run, self.data)
        model = start.model.to(self.run.device)
        result = evaluate(model, test_split, self.data.normalise, self.job.check)
        whole = Selection(np.ones(start.shape.n_neurons, np.bool_), tuple(start.shape.sizes), ())
        with self.job.write() as session:
            evaluations.put_evaluation(
                session,
                run_id=self.job.run_id,
                digest=whole.digest,
                split="test",
                epoch=0,
                ratio=0.0,
                plan=Plan(epoch=0, ratio=0.0).model_dump(mode="json"),
                correct=result.correct,
                n=result.n,
                loss=result.loss,
                seconds=result.seconds,
                **vars(dense_cost(start.shape)),
            )
        self.job.log(f"test set, cut network before fine-tuning: {_percent(result)}")

    def _measure_statistics(self, number: int) -> None:
        """Let the running statistics be those of the network as its gates are now.

        Gates move 50 times as fast as weights: the running average still remembers batches that
        came through others, and with it the network looks worse than it is.
        """

        def report(done: int, total: int) -> None:
            self.job.check()
            self.job.progress(
                "measuring", done, total, "images", message="running statistics", epoch=number
            )

        measure_again(
            self.network.model,
            self.train_split,
            self.data.normalise,
            seed=self.spec.seed,
            most=n_statistics(len(self.train_split)),
            report=report,
        )

    def _evaluate(self, split: Split) -> Evaluation:
        return evaluate(self.network.model, split, self.data.normalise, self.job.check)

    def _lr(self, number: int, step: int) -> float:
        """Learning rate of a step, counted from 0, of an epoch, counted from 1."""
        return learning_rate(self.spec, number, step, self.batches)

    def _train(self, number: int) -> Totals:
        self.team.begin(number)
        return train_one(
            self.step,
            self.train_split,
            self.spec,
            self.data,
            number,
            lambda totals: self._after_step(number, totals),
            self.team.share,
        )

    def _after_step(self, number: int, totals: Totals) -> None:
        self.team.check(self.job.check)
        if totals.steps % self._report_every(totals) and totals.steps != self.batches:
            return
        metrics: dict[str, Any] = totals.metrics()
        rest = totals.seconds / totals.steps * (self.batches - totals.steps)
        epoch_seconds = self.epoch_seconds or totals.seconds / totals.steps * self.batches
        self.job.progress(
            "training",
            (number - 1) * self.batches + totals.steps,
            self.spec.epochs * self.batches,
            "batches",
            eta_s=rest + (self.spec.epochs - number) * epoch_seconds,
            epoch=number,
            epochs=self.spec.epochs,
            batch=totals.steps,
            batches=self.batches,
            **metrics,
        )

    @staticmethod
    def _report_every(totals: Totals) -> int:
        """Steps between progress reports: about half a second, since reading the losses waits."""
        return max(1, round(0.5 * totals.steps / max(totals.seconds, 1e-9)))


def _metrics(
    validation: Evaluation, seconds: float, totals: Totals | None = None, lr: float | None = None
) -> dict[str, Any]:
    trained = totals.metrics() if totals else {}
    return {
        "train_loss": trained.get("loss"),
        "train_accuracy": trained.get("accuracy"),
        "penalty": trained.get("penalty"),
        "images_per_s": trained.get("images_per_s"),
        "lr": lr,
        "val_loss": validation.loss,
        "val_correct": validation.correct,
        "n_val": validation.n,
        "seconds": seconds,
    }


def _line(state: TrainerState, validation: Evaluation) -> str:
    metrics = state.metrics
    return (
        f"epoch {state.epoch}: loss {metrics['train_loss']:.4f}, penalty "
        f"{metrics['penalty']:.4f}, train {100 * metrics['train_accuracy']:.2f} %, validation "
        f"{_percent(validation)}, {metrics['images_per_s']:.0f} images/s"
        + (" (best so far)" if state.best_epoch == state.epoch else "")
    )


def _percent(result: Evaluation) -> str:
    return f"{100 * result.correct / result.n:.2f} % of {result.n}"


def _load(job: JobHandle, run: RunInputs) -> Data:
    """The images; the report on the user's own files is stored even if loading fails."""
    report: dict[str, Any] | None = None
    try:
        data = load_data(run.spec, run.settings, _loading(job))
        report = data.report
    except UnreadableData as problem:
        report = problem.report
        raise
    finally:
        if report is not None:
            with job.write() as session:
                runs.set_results(session, job.run_id, data_report=report)
    return data


def _loading(job: JobHandle) -> Progress:
    def report(done: int, total: int, message: str, unit: str = "bytes") -> None:
        job.check()
        job.progress("loading", done, total, unit, message=message)

    return report
