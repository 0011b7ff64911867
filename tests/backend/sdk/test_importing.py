"""`recede import FOLDER`: a recording becomes a run of a real service, once, live."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from typer.testing import CliRunner

import recede as sdk
from recede.cli import app as command
from recede.cli.submit import recorded
from recede.client import RecedeClient
from recede.contract.states import State
from recede.sdk.recording.lines import LINES
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery
from tests.backend.sdk.watched import Training, images
from tests.worker_process import PATIENCE_S


@pytest.fixture
def run(live):
    """Runs a command against the service."""

    def invoke(*arguments: str):
        environment = {"RECEDE_URL": live, "COLUMNS": "200", "NO_COLOR": "1"}
        result = CliRunner(env=environment).invoke(command, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return invoke


@pytest.fixture
def service(live):
    with RecedeClient(live) as client:
        yield client


def started(folder, **options):
    """A training of which three epochs are recorded."""
    training = Training()
    watching = sdk.watch(training.model, images(), folder=folder, metric="accuracy", **options)
    for epoch in (1, 2, 3):
        training.epoch()
        watching.log(epoch, accuracy=0.2 * epoch)
    return training, watching


def test_a_finished_recording_is_a_finished_run_and_is_not_sent_twice(run, service, tmp_path):
    training, watching = started(tmp_path / "mine", name="Mine", dataset="birds")
    watching.finish()
    for _ in range(2):
        result = run("import", str(tmp_path / "mine"))
        assert result.exit_code == 0, result.output
    [found] = service.runs().items
    assert f"run {found.id}: Mine" in result.stdout
    assert (found.state, found.epochs_done, found.best_epoch) == (State.SUCCEEDED, 3, 3)
    assert [row.metrics for row in service.epochs(found.id).items][1:] == [
        {"accuracy": 0.2}, {"accuracy": 0.4}, {"accuracy": pytest.approx(0.6)},
    ]  # fmt: skip
    np.testing.assert_array_equal(service.snapshot(found.id, 3), training.scales().numpy())
    assert "accuracy: 0.6 (epoch 3)" in run("watch", found.id).stdout
    assert "Mine" in run("runs").stdout


def test_one_that_still_trains_is_running_until_it_is_finished(run, service, tmp_path):
    training, watching = started(tmp_path)
    assert "--follow" in run("import", str(tmp_path)).stdout
    [found] = service.runs().items
    assert (found.state, found.epochs_done) == (State.RUNNING, 3)
    training.epoch()
    watching.log(4, accuracy=0.9)
    watching.finish()
    result = run("import", str(tmp_path))
    [found] = service.runs().items
    assert (found.state, found.epochs_done) == (State.SUCCEEDED, 4)
    assert "epoch 4: accuracy 0.9" in result.stderr
    assert "epoch 3" not in result.stderr


def test_following_goes_on_until_the_end(run, service, tmp_path, monkeypatch):
    training, watching = started(tmp_path)
    waited = iter(range(4, 6))

    def meanwhile(_seconds):
        """What happens between two looks at the folder."""
        epoch = next(waited, None)
        training.epoch()
        watching.log(accuracy=0.9) if epoch else watching.finish()

    monkeypatch.setattr(recorded.time, "sleep", meanwhile)
    result = run("import", str(tmp_path), "--follow")
    assert result.exit_code == 0, result.output
    [found] = service.runs().items
    assert (found.state, found.epochs_done) == (State.SUCCEEDED, 5)
    assert "finished after epoch 5" in result.stdout


def test_following_can_be_interrupted_and_taken_up_again(run, service, tmp_path, monkeypatch):
    _, watching = started(tmp_path)

    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(recorded.time, "sleep", interrupt)
    result = run("import", str(tmp_path), "--follow")
    assert result.exit_code == 1
    assert "The training goes on" in result.stderr
    watching.finish()
    assert run("import", str(tmp_path), "--follow").exit_code == 0
    assert [one.state for one in service.runs().items] == [State.SUCCEEDED]


def test_a_training_that_died_is_shown_as_such_until_it_goes_on(run, service, tmp_path):
    training, watching = started(tmp_path)
    watching._journal.close()  # as the system does when the process ends
    result = run("import", str(tmp_path), "--follow")
    assert result.exit_code == 1
    assert "ended without run.finish()" in result.stderr
    [found] = service.runs().items
    assert found.state is State.FAILED
    assert "killed" in found.error.message
    again = sdk.watch(training.model, images(), folder=tmp_path, resume=True)
    again.log(4, accuracy=0.1)
    run("import", str(tmp_path))
    assert service.run(found.id).state is State.RUNNING
    again.finish()
    run("import", str(tmp_path))
    [found] = service.runs().items
    assert (found.state, found.epochs_done, found.error) == (State.SUCCEEDED, 4, None)


def test_a_failure_is_shown_in_the_trainings_own_words(run, service, tmp_path):
    _, watching = started(tmp_path)
    watching.finish("ValueError: loss is NaN")
    assert run("import", str(tmp_path)).exit_code == 1
    assert service.runs().items[0].error.message == "ValueError: loss is NaN"


def test_it_is_followed_from_elsewhere_like_any_run(run, service, tmp_path, monkeypatch):
    _, watching = started(tmp_path)
    follows, of_client = threading.Event(), RecedeClient.events

    def events(*given, **options):
        follows.set()  # it has seen the run unfinished
        return of_client(*given, **options)

    monkeypatch.setattr(RecedeClient, "events", events)
    with RecedeClient(service.url) as client:
        delivery = Delivery(client, Recording(tmp_path))
        run_id = delivery.begin().run_id
        watched = []
        thread = threading.Thread(target=lambda: watched.append(run("watch", run_id)))
        thread.start()
        assert follows.wait(PATIENCE_S)
        delivery.send()
        watching.finish()
        delivery.send()
        thread.join(PATIENCE_S)
    assert watched[0].exit_code == 0, watched[0].output
    assert "epoch 3, accuracy 0.6" in watched[0].stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "digits"], "--dataset was given for a folder"),
        (["--name", "Other"], "--name was given for a folder"),
        (["--width", "0.5"], "--width was given for a folder"),
        (["--watch"], "--watch was given for a folder"),
        ([], "holds no recording"),
    ],
)
def test_what_does_not_fit_a_folder_is_refused(run, tmp_path, arguments, words):
    result = run("import", str(tmp_path), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_weights_are_not_followed(run):
    result = run("import", "weights.pt", "--follow")
    assert result.exit_code == 2
    assert "--watch for weights" in result.stderr


def test_a_damaged_recording_is_named(run, tmp_path):
    _, watching = started(tmp_path)
    watching.finish()
    (tmp_path / "scales" / "000002.safetensors").write_bytes(b"half")
    result = run("import", str(tmp_path))
    assert result.exit_code == 2
    assert "000002.safetensors" in result.stderr
    (tmp_path / LINES).write_bytes(b"nonsense\n")
    assert "Line 1" in run("import", str(tmp_path)).stderr
