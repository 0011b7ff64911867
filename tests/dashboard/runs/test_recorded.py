"""The page of a run that trains elsewhere: its own metrics, and no settings that nobody gave."""

from __future__ import annotations

import pytest

from recede.client import CostOut, CutValue, RunSpec
from recede.contract.recorded.metric import Metric
from recede.contract.schemas import RecordedOut
from recede.contract.spec.run import RECORDED
from recede_dashboard.figures.training import logged
from recede_dashboard.pages.run.checkpoints.tab import files
from recede_dashboard.pages.run.measured_cuts import measured_cuts
from recede_dashboard.pages.run.training import training
from recede_dashboard.words.specs import setting_rows, summary
from tests.dashboard import samples
from tests.dashboard.layouts import props, text

SPEC = RunSpec(dataset="birds", architecture="Small", method=RECORDED, epochs=3)


def run(metric: Metric | None):
    return samples.run(
        spec=SPEC, recording=RecordedOut(metric=metric, best_value=1.0, heard_at=0.0)
    )


def epochs():
    """Three epochs; the last two have metrics."""
    row = samples.epochs(3)
    return [one.model_copy(update={"metrics": {"psnr": 20.0, "epe": 1.0} if one.epoch else {}})
            for one in row]  # fmt: skip


def charts(metric: Metric | None) -> dict[str, list[str]]:
    """Each chart with the metrics that it draws."""
    page = training(run(metric), epochs())
    found = {}
    for name in ("accuracy-chart", "loss-chart", "penalty-chart"):
        try:
            figure = props(page, id=name).figure
        except AssertionError:
            continue
        found[name] = [trace.meta["metric"] for trace in figure.data]
    return found


def test_its_metric_has_a_chart_and_the_others_share_one():
    assert charts(Metric(name="psnr")) == {
        "accuracy-chart": ["psnr"],
        "loss-chart": ["train_loss", "val_loss"],
        "penalty-chart": ["epe"],
    }
    assert charts(None) == {
        "loss-chart": ["train_loss", "val_loss"],
        "penalty-chart": ["epe", "psnr"],
    }


@pytest.mark.parametrize(("higher", "words"), [(True, "higher"), (False, "lower")])
def test_it_says_which_way_the_metric_is_better(higher, words):
    page = training(run(Metric(name="psnr", higher_is_better=higher)), epochs())
    assert f"{words} is better" in text(page)


def test_a_chart_has_a_point_for_each_epoch_that_logged_it():
    trace = logged(epochs(), ["psnr"], "psnr").data[0]
    given = [row.epoch for row in epochs() if row.metrics]
    assert list(trace.x) == given
    assert list(trace.y) == [20.0] * len(given)


def test_no_setting_is_shown_that_its_script_did_not_say():
    wanted = [("Method", RECORDED), ("Network", "Small"), ("Data", "birds")]
    assert summary(SPEC, samples.CATALOG) == wanted
    assert setting_rows(SPEC, samples.CATALOG) == wanted


def test_cuts_by_a_metric_without_interval_are_a_table():
    dense = CostOut(params=200, macs=4000)
    half = CutValue(ask=0.5, ratio=0.45, value=28.25, cost=CostOut(params=100, macs=1000))
    table = measured_cuts([half], Metric(name="psnr", unit="dB"), 3, dense)
    assert "epoch 3, without interval" in text(table)
    assert "psnr, dB" in text(table)
    assert "45.0 % 28.25 100 (50.0 %) 1.000 k (25.0 %)" in text(table)
    assert measured_cuts([], Metric(name="psnr"), 3, dense) is None


def test_its_files_are_said_to_be_where_it_trains():
    assert "recede.cut" in text(files([], run(None)))
