"""The form of a new run: drawn from the catalog, read, checked, advised."""

from __future__ import annotations

import asyncio

import pytest

from recede.client import ApiError, Health
from recede_dashboard.pages.new_run.callbacks import known
from recede_dashboard.pages.new_run.form import (
    initial_advice,
    initial_values,
    run_form,
)
from recede_dashboard.pages.new_run.reviewing import is_whole, named
from recede_dashboard.pages.new_run.sections.fields import field_id, param_field
from recede_dashboard.pages.new_run.sections.notes import note
from recede_dashboard.pages.new_run.sections.plugins import dataset_note
from recede_dashboard.pages.new_run.values.advice import advice_text, n_steps
from recede_dashboard.pages.new_run.values.following import following
from recede_dashboard.pages.new_run.values.spec import review
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.queries.catalog import offered
from tests.dashboard import samples
from tests.dashboard.layouts import (
    props,
    text,
    walk,
)
from tests.dashboard.samples import CATALOG, LAM


@pytest.fixture
def values():
    return initial_values(CATALOG)


def test_the_first_values_can_be_submitted(values):
    seen = review(CATALOG, values)
    assert seen.errors == {}
    assert seen.spec.dataset == "digits"
    assert seen.spec.architecture_params == {"width": 0.25, "depth": 3}
    assert seen.spec.name == ""


def test_the_strength_starts_where_it_fits_the_steps(values):
    assert n_steps(CATALOG, samples.SPEC.model_dump()) == 10 * 9
    assert values["method_params.lam", "rni"] == LAM.recommended(90) == 1.4
    assert initial_advice(CATALOG, values) == {
        "method_params.lam@rni": 1.4,
        "method_params.lam@l1": 0.14,
    }


def test_every_declared_parameter_has_a_field(values):
    form = run_form(CATALOG, values)
    ids = [c.id for c in walk(form) if isinstance(getattr(c, "id", None), dict)]
    for path, owner in values:
        assert field_id(path, owner) in ids


def test_fields_of_what_is_not_chosen_wait_for_the_choice(values):
    form = run_form(CATALOG, values)
    shown = list(walk(props(form, id="run-panel-method")))
    waiting = props(form, id="run-panels-method").data
    assert [c.id["owner"] for c in shown if str(getattr(c, "id", "")).count("run-field")] == [
        "rni" for _ in CATALOG.method("rni").params
    ]
    assert list(waiting) == [method.name for method in CATALOG.methods]
    assert is_whole(CATALOG, values)
    assert not is_whole(CATALOG, {k: v for k, v in values.items() if k[1] != "rni"})
    assert is_whole(CATALOG, {k: v for k, v in values.items() if k[1] != "l1"})


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (samples.WIDTH, "TextInput"),
        (samples.DEPTH, "NumberInput"),
        (samples.NOISE, "Select"),
        (samples.CROP, "Select"),
    ],
)
def test_a_parameter_is_drawn_by_its_kind(spec, kind):
    field = param_field(spec, "architecture_params", "tiny", spec.default)
    assert type(field).__name__ == kind
    assert "efault" in field.description


def test_bounds_and_default_are_said(values):
    field = param_field(samples.WIDTH, "architecture_params", "tiny", 1.0)
    assert "Between 0.05 and 4" in field.description
    assert "default 1" in field.description


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (("epochs", ""), -1, "Epochs was -1; it must be at least 0"),
        (("epochs", ""), 0, "looks at given weights, and none are given"),
        (("epochs", ""), "", "Epochs is empty"),
        (("lr", ""), "fast", "must be a number"),
        (("lr", ""), "nan", "Learning rate"),
        (("val_fraction", ""), "0.95", "must be less than 0.9"),
        (("batch_size", ""), 5000, "larger than the 900 training images"),
        (("dataset", ""), "gone", "missing"),
        (("method_params.lam", "rni"), "50", "between 0 and 10"),
        (("architecture_params.depth", "tiny"), 2.5, "whole number"),
    ],
)
def test_a_mistake_is_said_at_its_field(values, key, value, words):
    seen = review(CATALOG, values | {key: value})
    assert seen.spec is None
    assert words in seen.errors[key[0]]


def test_all_mistakes_are_said_at_once(values):
    wrong = {("lr", ""): "", ("method_params.lam", "rni"): "-1"}
    assert set(review(CATALOG, values | wrong).errors) == {"lr", "method_params.lam"}


def test_a_hidden_field_is_not_checked(values):
    assert review(CATALOG, values | {("method_params.lam", "l1"): "x"}).errors == {}


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1e-3", 0.001), ("0,03", 0.03), (" 7 ", 7.0), ("", None), ("x", None), (True, None)],
)
def test_numbers_are_read_as_people_type_them(typed, number):
    assert read_number(typed, whole=False) == number


def test_yes_and_no_are_booleans(values):
    chosen = values | {("dataset_params.noise", "digits"): "yes"}
    assert review(CATALOG, chosen).spec.dataset_params == {"noise": True, "crop": "pad"}


def test_an_untouched_strength_follows_the_steps(values):
    before = initial_advice(CATALOG, values)
    longer = values | {("epochs", ""): 100}
    advice = review(CATALOG, longer).advice
    assert following(longer, advice, before) == {("method_params.lam", "rni"): "0.14"}


def test_a_strength_that_was_typed_stays(values):
    before = initial_advice(CATALOG, values)
    longer = values | {("epochs", ""): 100, ("method_params.lam", "rni"): "0.5"}
    assert following(longer, review(CATALOG, longer).advice, before) == {}


def test_advice_gives_its_reason():
    assert advice_text(LAM, 900) == ("0.14 = 125 ÷ 900 steps", "")


def test_advice_says_when_the_steps_are_too_few():
    capped = LAM.model_copy(update={"maximum": 0.05})
    equation, reason = advice_text(capped, 100)
    assert equation == "0.05 = 125 ÷ 100 steps, capped at 0.05"
    assert "train longer" in reason


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, 0.05),
        ({"init.kind": "file", "init.file": "w.pt"}, 0.3),
        ({"init.kind": "file", "init.file": "w.pt", "scale": "bounded"}, 0.05),
        ({"init.kind": "seed", "init.file": "w.pt", "scale": "gate"}, 0.05),
    ],
)
def test_given_weights_behind_gates_are_advised_a_strength_of_their_own(values, changes, most):
    limits = {"recommended_max": 0.05, "gated_max": 0.3}
    method = CATALOG.method("rni")
    lam = method.params[0].model_copy(update=limits)
    method = method.model_copy(update={"params": (lam, *method.params[1:])})
    catalog = CATALOG.model_copy(update={"methods": (method, *CATALOG.methods[1:])})
    typed = values | {("epochs", ""): 1} | {(path, ""): value for path, value in changes.items()}
    seen = review(catalog, typed)
    assert seen.advice["method_params.lam"] == most
    at = {"path": "method_params.lam", "owner": "rni"}
    assert f"{most} = 125" in text(note(catalog, at, typed, seen)[0])


@pytest.mark.parametrize(
    ("theirs", "most"), [("plain", 0.3), ("gate", 0.3), ("bounded", 0.05), (None, 0.05)]
)
def test_another_runs_weights_are_advised_what_fits_their_batch_norms(values, theirs, most):
    method = CATALOG.method("rni")
    limits = {"recommended_max": 0.05, "gated_max": 0.3}
    lam = method.params[0].model_copy(update=limits)
    method = method.model_copy(update={"params": (lam, *method.params[1:])})
    catalog = CATALOG.model_copy(update={"methods": (method, *CATALOG.methods[1:])})
    typed = values | {("epochs", ""): 1, ("init.kind", ""): "run", ("init.run", ""): "abcd2345"}
    seen = review(catalog, typed, {} if theirs is None else {"abcd2345": theirs})
    assert seen.advice["method_params.lam"] == most


def test_what_is_known_of_other_runs_is_their_name_and_their_batch_norm():
    rni, l1, *_ = CATALOG.methods
    catalog = CATALOG.model_copy(
        update={"methods": (rni, l1.model_copy(update={"scale": "plain"}))}
    )
    plain, elsewhere = (
        samples.run(id=name, spec=samples.SPEC.model_copy(update={"method": name}))
        for name in ("l1", "recorded")
    )
    about = known(catalog, [samples.run(id="r"), plain, elsewhere])
    assert [one["scale"] for one in about.values()] == ["bounded", "plain", ""]
    assert named(about)["recorded"] == elsewhere.name


def test_a_choice_for_given_weights_is_none_where_there_are_none(values):
    given = {("init.kind", ""): "file", ("init.file", ""): "w.pt", ("scale", ""): "gate"}
    assert review(CATALOG, values | given).spec.scale == "gate"
    none = given | {("init.kind", ""): "seed"}
    assert review(CATALOG, values | none).spec.scale == "auto"


def test_a_download_is_announced_with_its_size():
    note = text(dataset_note(CATALOG.dataset("large")))
    assert "downloads 170 MB" in note
    assert "100,000 training" in note


@pytest.mark.parametrize("starting", [True, False])
def test_the_form_waits_for_a_worker_that_is_starting(starting):
    class Early:
        asked = 0

        async def catalog(self):
            self.asked += 1
            if self.asked < 3:
                raise ApiError("No worker has started yet.", status=503, code="unavailable")
            return CATALOG

        async def health(self):
            return Health(
                status="ok", version="1", store="sqlite", workers_alive=0, worker_starting=starting
            )

    client = Early()
    if starting:
        assert asyncio.run(offered(client)) is CATALOG
    else:
        with pytest.raises(ApiError):
            asyncio.run(offered(client))
    assert client.asked == (3 if starting else 1)
