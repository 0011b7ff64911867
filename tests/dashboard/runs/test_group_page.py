"""The page of a group: what differs, how its runs stand, means, figures, and where it is gone."""

from __future__ import annotations

import asyncio

import pytest

from recede.client import ApiError
from recede_dashboard import routing
from recede_dashboard.figures import group as figures
from recede_dashboard.pages import runs as runs_page
from recede_dashboard.pages.group import words
from recede_dashboard.pages.group.table import group_table
from tests.dashboard import samples
from tests.dashboard.layouts import (
    NARROW,
    props,
    text,
    walk,
)
from tests.dashboard.runs import group_samples

LABELS = {"method_params.lam": "Strength λ", "seed": "Seed"}


class Client:
    """Answers as the service would, from samples."""

    def __init__(self, error: ApiError | None = None):
        self.error = error

    async def group(self, group_id):
        if self.error:
            raise self.error
        return group_samples.group()

    async def catalog(self):
        return samples.CATALOG

    async def curve(self, run_id):
        raise ApiError("There is no curve.", status=404, code="not_found")


def page(client, path="/groups/grp23456", search=""):
    return asyncio.run(routing.page(client, path, search))


def test_the_page_says_what_differs_and_how_the_runs_stand():
    shown = text(page(Client()))
    assert "first λ × seed" in shown
    assert "4 runs: 2 queued, 2 finished" in shown
    assert "Strength λ 0.05, 0.1" in shown
    assert "Seed 0, 1" in shown


def test_what_all_runs_share_leaves_out_what_differs():
    chips = [
        text(node) for node in walk(page(Client())) if getattr(node, "className", "") == "chip"
    ]
    assert "Method rni" in chips
    assert not any(chip.startswith("Seed") for chip in chips)


def test_all_can_be_cancelled_while_some_are_active_and_deleted_only_afterwards():
    layout = page(Client())
    assert props(layout, id="cancel-group").hidden is False
    assert props(layout, id="delete-group").hidden is True


@pytest.mark.parametrize(("status", "testid"), [(404, "group-missing"), (0, "server-gone")])
def test_a_group_that_cannot_be_shown_is_said_in_words(status, testid):
    error = ApiError("It is not there.", status=status)
    assert props(page(Client(error)), data_testid=testid)


def test_every_run_has_a_line_with_a_link():
    table = group_table(group_samples.group(), LABELS)
    links = [node.href for node in walk(table) if type(node).__name__ == "Link"]
    assert links == [f"/runs/{run.id}" for run in group_samples.group().runs]


def test_a_finished_combination_has_means_with_deviations():
    bodies = [n for n in walk(group_table(group_samples.group(), LABELS)) if is_body(n)]
    assert len(bodies) == 2
    done, waiting = (text(body) for body in bodies)
    assert "mean ± s.d. 2 of 2 finished 90.0 % ± 1.0 %" in done
    assert "0 of 2 finished – – – –" in waiting


def is_body(node):
    return type(node).__name__ == "Tbody"


def test_numbers_of_a_run_have_the_digits_that_its_images_deserve():
    row = props(
        group_table(group_samples.group(), LABELS),
        data_testid=f"group-run-{group_samples.group().runs[0].id}",
    )
    assert text(row).endswith("0 Finished 90 % 88.5 % 60 % 40 %")


def test_a_running_run_shows_its_progress():
    moving = {"epoch": 5, "batch": 1, "batches": 2}
    run = group_samples.member(0.05, 0, state="running", epochs_done=4, progress=moving)
    assert words.done(run) == pytest.approx(0.45)
    table = group_table(group_samples.group(runs=[run]), LABELS)
    bar = next(n for n in walk(table) if getattr(n, "role", "") == "progressbar")
    assert bar.to_plotly_json()["props"]["aria-valuenow"] == "45"


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"state": "running", "cancel_requested_at": 1.0}, "cancelling", "Cancelling…"),
        ({"state": "running", "stalled_s": 40.0}, "stalled", "Stalled 40 s"),
        ({"state": "queued", "queue_position": 3}, "queued", "4th in queue"),
        ({"state": "failed"}, "failed", "Failed"),
    ],
)
def test_a_state_is_a_key_for_its_icon_and_words(changes, key, said):
    found, shown = words.state_words(samples.run(**changes))
    assert (found, shown.replace(NARROW, " ")) == (key, said)


def test_runs_belong_to_the_row_with_their_values():
    group = group_samples.group()
    assert [words.step_of(group, run) for run in group.runs] == [0, 0, 1, 1]


def test_without_a_catalog_a_field_has_its_own_name():
    group = group_samples.group()
    assert words.axis_labels(group, samples.CATALOG)["method_params.lam"] == "Strength λ"
    assert words.axis_labels(group, None) == {"method_params.lam": "lam", "seed": "Seed"}


def point(seed: int, step: int = 0, **changes):
    known = {
        "run_id": f"run{step}{seed}",
        "name": "",
        "step": step,
        "label": f"λ {step}",
        "seed": seed,
        "ratios": [0.0, 0.5, 0.9],
        "accuracies": [0.9, 0.8 + 0.1 * seed, 0.1],
        "lossless": 0.4 + 0.1 * seed,
        "test_accuracy": 0.9,
    }
    return figures.RunPoint(**known | changes)


def test_seeds_are_thin_lines_and_their_mean_a_thick_one():
    drawn = figures.curves([point(0), point(1), point(0, step=1)], 2)
    widths = [trace.line.width for trace in drawn.data]
    assert len(drawn.data) == 4
    assert widths[2] > widths[0] == widths[1]
    assert [bool(trace.meta.get("mean")) for trace in drawn.data] == [False, False, True, False]
    assert drawn.data[3].showlegend is True


def test_the_mean_lies_between_its_seeds_and_ends_where_the_shorter_ends():
    short = point(1, ratios=[0.0, 0.5, 0.8], accuracies=[0.9, 0.9, 0.3])
    x, y = figures.mean_curve([point(0), short])
    assert x[-1] == pytest.approx(0.8)
    assert y[0] == pytest.approx(0.9)
    half = min(range(len(x)), key=lambda i: abs(x[i] - 0.5))
    assert y[half] == pytest.approx(0.85, abs=1e-9)
    # At 0.8 one curve is a quarter of the way above 0.1, the other at its end.
    assert y[-1] == pytest.approx(((0.8 + 3 * 0.1) / 4 + 0.3) / 2)


def test_each_run_that_is_measured_is_one_dot():
    unmeasured = point(2, lossless=None)
    drawn = figures.dots([point(0), point(1), unmeasured, point(0, step=1)], 2)
    assert [len(trace.x) for trace in drawn.data] == [2, 1]
    assert drawn.data[0].marker.symbol != drawn.data[1].marker.symbol


def test_figures_without_data_say_when_it_comes():
    for drawn in (figures.curves([], 0), figures.dots([], 0)):
        assert drawn.layout.annotations[0].text == "Appears when the first run has finished"


def test_the_table_of_runs_can_show_one_group_alone():
    layout = page(Client(), "/", "?group=grp23456")
    assert layout.to_plotly_json()["props"]["data-group"] == "grp23456"
    assert "first λ × seed" in text(props(layout, id="group-chip"))
    assert runs_page.layout().to_plotly_json()["props"]["data-group"] == ""
