"""The train job: epochs from where the last process stopped, then the test set, once."""

from __future__ import annotations

import math
import time
from typing import Any

import torch

from backend.contract.specs import CurvePayload, RunSpec
from backend.contract.states import JobKind
from backend.store import results, runs
from worker.core.importance import scale_parameters
from worker.engine.batches import Split, n_batches
from worker.engine.compiling import compiled
from worker.engine.context import JobContext, Outcome
from worker.engine.evaluate import Evaluation, evaluate
from worker.engine.precision import resolve
from worker.engine.recorder import Recorder
from worker.engine.schedule import lr_at
from worker.engine.setup import Data, Network, build_network, load_data, method_of
from worker.engine.state import TrainerState, load_state
from worker.engine.train import Step, Totals, TrainingDiverged, make_optimiser, train_epoch
from worker.engine.weights import read_weights


def run_training(context: JobContext) -> Outcome:
    """Train the run to its last epoch; a curve job follows."""
    spec = context.spec()
    data = load_data(spec, context.settings, _loading(context))
    network = build_network(spec, data)
    context.log(
        f"{spec.title()}: {network.shape.n_neurons} prunable neurons, {len(data.train)} training, "
        f"{len(data.validation)} validation and {len(data.test)} test images, on {context.device}"
    )
    trainer = _Trainer(context, spec, data, network)
    state = trainer.start()
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

    def __init__(self, context: JobContext, spec: RunSpec, data: Data, network: Network) -> None:
        self.context, self.spec, self.data, self.network = context, spec, data, network
        network.model.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_split = data.train.to(context.device)
        self.val_split = data.validation.to(context.device)
        self.optimiser = make_optimiser(network.model, spec.lr)
        self.step = Step(
            forward=compiled(network.model) if spec.compile else network.model,
            optimiser=self.optimiser,
            scales=scale_parameters(network.model, list(network.norms.values())),
            method=method_of(spec),
            params=spec.method_params,
            precision=resolve(spec.precision, context.device),
            label_smoothing=spec.label_smoothing,
        )
        context.log(f"computing in {self.step.precision}" + (", compiled" * spec.compile))
        self.recorder = Recorder(context, spec, network, data)
        self.batches = n_batches(len(data.train), spec.batch_size)
        self.epoch_seconds = 0.0

    def start(self) -> TrainerState:
        """The state to go on from: the last saved one, or the untrained network."""
        saved = load_state(self.context.folder)
        validation = None if saved else self._evaluate(self.val_split)
        if saved is None:
            assert validation is not None
            self.recorder.untrained(_metrics(validation, validation.seconds))
            self.context.log(f"epoch 0 (untrained): validation {_percent(validation)}")
            return TrainerState(0, {}, 0, -1, {}, {}, self.step.precision)
        self.network.model.load_state_dict(saved.model)
        self.optimiser.load_state_dict(saved.optimiser)
        self.step.precision = saved.precision
        self.context.log(f"resuming after epoch {saved.epoch}")
        if not self.recorder.has(saved.epoch):
            self.recorder.epoch(saved)
        return saved

    def epoch(self, state: TrainerState) -> TrainerState:
        """Train, evaluate and record the next epoch."""
        number = state.epoch + 1
        started = time.perf_counter()
        totals = self._train(number)
        validation = self._evaluate(self.val_split)
        if not math.isfinite(validation.loss):
            raise TrainingDiverged.after(number, self.batches, validation.loss)
        self.epoch_seconds = time.perf_counter() - started
        # Of equals the later one: its importances have receded further.
        better = validation.correct >= state.best_correct
        done = TrainerState(
            epoch=number,
            metrics=_metrics(
                validation, self.epoch_seconds, totals, self._lr(number, self.batches - 1)
            ),
            best_epoch=number if better else state.best_epoch,
            best_correct=validation.correct if better else state.best_correct,
            model={k: v.detach().cpu().clone() for k, v in self._model_state().items()},
            optimiser=self.optimiser.state_dict(),
            precision=self.step.precision,
        )
        self.recorder.epoch(done)
        self.context.log(_line(done, validation))
        return done

    def test(self) -> None:
        """Evaluate the dense network of the best epoch on the test set, for the record."""
        run_id = self.context.lease.run_id
        with self.context.store.read() as session:
            row = results.trained(session, run_id, None)
        best = self.network.architecture.build(self.network.config)
        best.load_state_dict(read_weights(row, self.context.settings.artifacts))
        self.context.progress("measuring", 0, 1, "steps", message="test set")
        test_split = self.data.test.to(self.context.device)
        result = evaluate(
            best.to(self.context.device), test_split, self.data.normalise, self.context.check
        )
        with self.context.write() as session:
            runs.set_results(session, run_id, test_correct=result.correct, n_test=result.n)
        self.context.log(f"test set, best epoch {row.epoch}: {_percent(result)}")

    def _model_state(self) -> dict[str, torch.Tensor]:
        return self.network.model.state_dict()

    def _evaluate(self, split: Split) -> Evaluation:
        return evaluate(self.network.model, split, self.data.normalise, self.context.check)

    def _lr(self, number: int, step: int) -> float:
        """Learning rate of a step, counted from 0, of an epoch, counted from 1."""
        return lr_at(number - 1 + step / self.batches, self.spec)

    def _train(self, number: int) -> Totals:
        seed = _epoch_seed(self.spec.seed, number)
        torch.manual_seed(seed)
        return train_epoch(
            self.step,
            self.train_split.training_batches(
                self.spec.batch_size, self.data.augment, self.data.normalise, seed
            ),
            lambda step: self._lr(number, step),
            epoch=number,
            after_step=lambda totals: self._after_step(number, totals),
        )

    def _after_step(self, number: int, totals: Totals) -> None:
        self.context.check()
        if totals.steps % self._report_every(totals) and totals.steps != self.batches:
            return
        metrics = totals.metrics()
        rest = totals.seconds / totals.steps * (self.batches - totals.steps)
        epoch_seconds = self.epoch_seconds or totals.seconds / totals.steps * self.batches
        self.context.progress(
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
        """Steps between progress reports: about half a second, for looking costs a wait."""
        return max(1, round(0.5 * totals.steps / max(totals.seconds, 1e-9)))


def _epoch_seed(seed: int, epoch: int) -> int:
    """One stream of random numbers for each epoch, so that resuming needs no state of it."""
    return seed * 1_000_003 + epoch


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


def _loading(context: JobContext) -> Any:
    def report(done: int, total: int, message: str) -> None:
        context.check()
        context.progress("loading", done, total, "bytes", message=message)

    return report
