"""Curves over epochs are pure functions of rows; templates hold both schemes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import recede_dashboard
from recede_dashboard.figures import template, training
from tests.dashboard.samples import epochs


def points(figure, metric):
    trace = next(t for t in figure.data if t.meta["metric"] == metric)
    return list(trace.x), list(trace.y)


def test_the_untrained_network_has_only_validation_points():
    figure = training.loss(epochs(3))
    assert points(figure, "train_loss") == ([1, 2, 3], [2.0, 1.0, 2.0 / 3])
    assert points(figure, "val_loss")[0] == [0, 1, 2, 3]


@pytest.mark.parametrize("figure", [training.loss, training.penalty, training.accuracy])
def test_the_point_of_epoch_0_on_the_axis_is_drawn_whole(figure):
    assert all(trace.cliponaxis is False for trace in figure(epochs(3)).data)


def test_accuracy_is_shown_in_percent():
    assert training.accuracy(epochs(2)).layout.yaxis.tickformat == ".0%"


def test_the_penalty_is_amber_the_second_colour():
    assert training.penalty(epochs(1)).data[0].meta["role"] == 1


@pytest.mark.parametrize("figure", [training.loss, training.penalty, training.accuracy])
def test_without_epochs_a_figure_says_what_will_come(figure):
    drawn = figure([])
    assert drawn.layout.annotations[0].text == "Appears after epoch 1"
    assert figure([], training.NEVER).layout.annotations[0].text == "No data"
    assert drawn.layout.yaxis.visible is False


def test_many_epochs_are_drawn_without_markers():
    assert training.loss(epochs(training.MARKERS_UP_TO + 1)).data[1].mode == "lines"


def test_templates_use_the_tokens_of_the_style_sheet():
    css = (
        Path(recede_dashboard.__file__).parent / "assets" / "css" / "foundation" / "theme.css"
    ).read_text(encoding="utf-8")
    for tokens, scheme in ((template.LIGHT, "light"), (template.DARK, "dark")):
        block = css.split(f'[data-mantine-color-scheme="{scheme}"] {{')[1].split("}")[0]
        for name, colour in vars(tokens).items():
            value = re.search(rf"--rc-{name}: #(\w{{6}})", block)
            assert value, name
            rgb = [int(value[1][i : i + 2], 16) for i in (0, 2, 4)]
            assert colour == f"rgb({rgb[0]}, {rgb[1]}, {rgb[2]})"


def test_no_chart_can_upload():
    assert template.CONFIG["showSendToCloud"] is False
    assert template.CONFIG["displaylogo"] is False
