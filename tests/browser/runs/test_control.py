"""Cancel, resume, delete, failure, and a worker that is killed: what the page says and does."""

from __future__ import annotations

import re

import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import load_file, save_file

from recede.client import ApiError
from recede.contract.schemas import RunOut
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from tests.browser.conftest import Opener
from tests.browser.screen import (
    TRAINING_MS,
    Watch,
    next_frame,
)
from tests.service import SMALL_RUN, Service
from tests.worker_process import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HEAR_OF_DELETION = """() => document.addEventListener("recede:event", ({ detail }) => {
  window.deletedRun = window.deletedRun || detail.type === "run_deleted";
})"""


def start(service: Service, page: Page, **change: object) -> str:
    """A new run, with its Training tab open."""
    answer = service.client.create_run(RunSpec.model_validate({**SMALL_RUN, **change}))
    page.goto(f"/runs/{answer.run.id}?tab=training")
    return answer.run.id


def expect_state(page: Page, words: str) -> None:
    expect(page.get_by_test_id("run-state")).to_have_text(re.compile(words), timeout=TRAINING_MS)


def expect_epoch(page: Page, least: int) -> None:
    """The page says, by itself, that training came as far as this epoch."""
    page.wait_for_function(
        "(least) => parseInt(document.querySelector('#tile-epoch')?.textContent) >= least",
        arg=least,
        timeout=TRAINING_MS,
    )


def delete(service: Service, page: Page, run_id: str) -> None:
    """Delete it from its page, which says once what happened, whatever the server tells it."""
    page.evaluate(HEAR_OF_DELETION)
    page.get_by_test_id("delete-run").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".notice", has_text="freed")).to_contain_text(
        re.compile(r"\d+\s[kM]?B freed")
    )
    page.wait_for_function("() => window.deletedRun")
    next_frame(page)
    expect(page.locator(".notice", has_text="This run was deleted")).to_have_count(0)
    with pytest.raises(ApiError) as gone:
        service.client.run(run_id)
    assert gone.value.status == 404


def expect_log_of(service: Service, page: Page, run_id: str) -> None:
    """The log that is followed is that of the newest training."""
    newest = max(job.id for job in service.client.jobs(run_id=run_id).items if job.kind == "train")
    expect(page.locator("#log-job")).to_have_value(f"Training · {newest}")


def test_a_run_is_cancelled_in_mid_training_resumed_and_deleted(
    service: Service, page: Page, new_tab: Opener, watches: list[Watch]
):
    run_id = start(service, page, epochs=60, name="To be cancelled")
    expect_epoch(page, 2)
    expect_log_of(service, page, run_id)
    page.get_by_test_id("cancel-run").click()
    expect_state(page, "Cancelling|Cancelled")
    expect_state(page, "^Cancelled$")
    expect(page.get_by_test_id("cancel-run")).to_be_hidden()
    done = service.client.run(run_id).epochs_done
    assert 0 < done < 60

    page.get_by_test_id("resume-run").click()
    expect_state(page, "Running")
    expect_epoch(page, done + 2)
    expect_log_of(service, page, run_id)
    expect(page.get_by_test_id("log-lines")).to_contain_text(f"resuming after epoch {done}")
    page.get_by_test_id("cancel-run").click()
    expect_state(page, "^Cancelled$")
    epochs = [epoch.epoch for epoch in service.client.epochs(run_id).items]
    assert epochs == list(range(len(epochs)))
    assert len(epochs) > done + 1

    page.get_by_test_id("delete-run").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("To be cancelled")
    expect(question).to_contain_text("cannot be undone")
    question.get_by_role("button", name="Keep it").click()
    expect(question).to_be_hidden()
    assert service.client.run(run_id).state == State.CANCELLED
    other = new_tab(f"/runs/{run_id}?tab=training")
    watches[-1].tolerate("404")  # it may ask once more for what is being deleted
    expect_state(other, "^Cancelled$")
    expect(other.get_by_test_id("log-lines")).to_contain_text("cancelled")
    delete(service, page, run_id)
    page.wait_for_url(re.compile(r"/$"))
    expect(other.locator(".notice", has_text="This run was deleted")).to_have_count(1)
    other.wait_for_url(re.compile(r"/$"))


def _huge_weights(service: Service, run: RunOut) -> str:
    """The run's weights with a last layer that one step takes out of floats; the file's name."""
    data = service.folder / "data"
    kept = next((data / "artifacts" / "runs" / run.id).rglob("*.safetensors"))
    weights = load_file(kept)
    weights["classifier.weight"] = weights["classifier.weight"] * np.float32(1e36)
    (data / "datasets").mkdir(exist_ok=True)
    save_file(weights, data / "datasets" / "huge.safetensors")
    return "huge.safetensors"


def test_a_run_that_diverges_says_why_in_words_and_can_be_deleted(
    service: Service, page: Page, watch: Watch, run: RunOut
):
    watch.tolerate("404")  # it may ask once more for the log of what is being deleted
    weights = _huge_weights(service, run)
    run_id = start(service, page, method="l1", method_params={"lam": 0}, init={"file": weights})
    expect_state(page, "^Failed$")
    problem = page.get_by_test_id("run-problem")
    expect(problem).to_contain_text("The loss became")
    expect(problem).to_contain_text(re.compile(r"epoch \d+, step \d+"))
    expect(problem).to_contain_text("smaller learning rate")
    expect(page.get_by_test_id("resume-run")).to_be_visible()
    page.get_by_role("link", name="Runs").first.click()
    expect(page.get_by_role("row").filter(has_text=run_id)).to_contain_text("Failed")
    page.go_back()
    delete(service, page, run_id)
    expect(page.get_by_role("row").filter(has_text=run.id)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=run_id)).to_have_count(0)


def test_the_page_recovers_when_the_worker_is_killed_and_the_run_finishes(
    service: Service, page: Page, watch: Watch
):
    run_id = start(service, page, epochs=3)
    expect_epoch(page, 2)
    children = psutil.Process(service.process.pid).children()
    next(child for child in children if "recede_worker" in child.cmdline()).kill()
    expect_state(page, "^Finished$")
    expect(page.get_by_test_id("tile-epochs")).to_contain_text("3 / 3")
    epochs = [epoch.epoch for epoch in service.client.epochs(run_id).items]
    assert epochs == list(range(4))
    eventually(
        lambda: all(job.state.is_final for job in service.client.jobs(run_id=run_id).items),
        "the end of its curve",
    )
    expect(page.get_by_test_id("tile-lossless")).to_contain_text("%")
    expect(page.get_by_test_id("worker-status")).to_contain_text("Worker ready")
