"""Folders as data sets, networks by image size, the recipe, starting weights, fine-tuning."""

from __future__ import annotations

import pytest

from recede.client import (
    ArchitectureInfo,
    DatasetInfo,
    Distill,
    Init,
    Normalize,
    Plan,
)
from recede.contract.spec.catalog import DatasetVariant
from recede_dashboard.pages.new_run.filling import fine_tuning
from recede_dashboard.pages.new_run.form import initial_values, run_form
from recede_dashboard.pages.new_run.reviewing import errors
from recede_dashboard.pages.new_run.sections.fields import (
    SEARCH_FROM,
    choice,
    field_id,
)
from recede_dashboard.pages.new_run.sections.notes import note, plan
from recede_dashboard.pages.new_run.sections.plugins import options
from recede_dashboard.pages.new_run.sections.recipe import recipe_words
from recede_dashboard.pages.new_run.sections.starting import run_options, starting_words
from recede_dashboard.pages.new_run.values import start
from recede_dashboard.pages.new_run.values.advice import fit_text
from recede_dashboard.pages.new_run.values.spec import review, shown_at
from tests.backend.catalog import PUBLISHED
from tests.dashboard import samples
from tests.dashboard.layouts import NARROW, props, text
from tests.dashboard.samples import CATALOG

PATH = samples.LAM.model_copy(
    update={"name": "path", "kind": "text", "default": "", "label": "Path", "per_steps": None}
)
LARGE = ArchitectureInfo(name="big", label="Big", help="", min_image=96, max_image=512)


def folder(name: str, status: str = "ready", n_test: int = 0) -> DatasetVariant:
    return DatasetVariant(
        path=f"/data/{name}", name=name, classes=3, n_train=900, n_test=n_test, status=status
    )


OWN = DatasetInfo(
    name="own",
    label="Own images",
    help="",
    params=(PATH,),
    channels=3,
    image_size=64,
    classes=0,
    n_train=0,
    n_test=0,
    status="ready",
    variants=(folder("broken", "unreadable"), folder("birds"), folder("fish", n_test=100)),
)
WIDER = CATALOG.model_copy(
    update={
        "datasets": (*CATALOG.datasets, OWN),
        "architectures": (*CATALOG.architectures, LARGE),
    }
)
AT = {"path": "dataset_params.path", "owner": "own"}


@pytest.fixture
def values():
    return initial_values(WIDER)


def test_a_folder_is_proposed_and_all_are_suggested(values):
    assert values["dataset_params.path", "own"] == "birds"
    form = run_form(WIDER, values)
    field = props(form, id=field_id("dataset_params.path", "own"))
    assert type(field).__name__ == "Autocomplete"
    assert field.data == ["broken", "birds", "fish"]


def test_the_facts_of_the_chosen_folder_are_shown(values):
    chosen = values | {("dataset", ""): "own"}
    words = text(note(WIDER, AT, chosen, review(WIDER, chosen)))
    assert "3 classes, 900 training images, with test images split off." in words
    other = chosen | {("dataset_params.path", "own"): "fish"}
    assert "and 100 test images" in text(note(WIDER, AT, other, review(WIDER, other)))


def test_steps_are_those_of_the_chosen_folder(values):
    seen = review(WIDER, values | {("dataset", ""): "own"})
    assert seen.steps == 10 * 9  # 810 training images in batches of 100
    assert seen.spec.dataset_params == {"path": "birds"}


def test_a_folder_that_is_not_there_is_said_at_the_path(values):
    given = {("dataset", ""): "own", ("dataset_params.path", "own"): "nowhere"}
    seen = review(WIDER, values | given)
    assert "nowhere" in seen.errors["dataset_params.path"]
    assert "birds" in seen.errors["dataset_params.path"]


def test_networks_that_cannot_take_the_images_come_last():
    groups = options(WIDER.architectures, CATALOG.dataset("digits"))
    assert [group["group"] for group in groups] == [
        "Accept 28 × 28 images",
        "Do not accept 28 × 28 images",
    ]
    assert [item["value"] for item in groups[1]["items"]] == ["big"]
    assert groups[1]["items"][0]["note"] == "96–512 px"


def test_networks_are_one_list_where_all_fit():
    assert [one["value"] for one in options(CATALOG.architectures, OWN)] == ["tiny"]


def test_whether_a_network_fits_is_said_beside_it():
    assert fit_text(LARGE, OWN) == (
        "Accepts images of 96 to 512 pixels; Own images has 64 × 64.",
        False,
    )
    assert fit_text(CATALOG.architectures[0], OWN)[1] is True


def test_a_long_list_can_be_searched():
    names = [f"net{i}" for i in range(SEARCH_FROM)]
    assert choice(names, "net1").searchable is True
    assert getattr(choice(names[:-1], "net1"), "searchable", None) is None


def test_the_folded_recipe_says_what_it_is(values):
    assert recipe_words(values) == "steps ÷ 10, automatic precision"
    other = {("schedule", ""): "cosine", ("warmup_epochs", ""): 2, ("compile", ""): "yes"}
    assert (
        recipe_words(values | other) == "cosine, 2 warm-up epochs, automatic precision, compiled"
    )


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("warmup_epochs", 10, "shorter than the 10"),
        ("label_smoothing", "1", "less than 1"),
        ("processes", 0, "at least 1"),
        ("warmup_epochs", "", "is empty"),
    ],
)
def test_a_mistake_in_the_recipe_is_said_at_its_field(values, path, value, words):
    assert words in review(WIDER, values | {(path, ""): value}).errors[path]


def test_the_recipe_reaches_the_spec(values):
    given = {("schedule", ""): "cosine", ("compile", ""): "yes", ("precision", ""): "bf16"}
    spec = review(WIDER, values | given).spec
    assert (spec.schedule, spec.compile, spec.precision) == ("cosine", True, "bf16")


def starts(values, **given):
    own = {(f"init.{name}", ""): value for name, value in given.items()}
    return values | own


def test_weights_are_random_by_default(values):
    assert review(WIDER, values).spec.init is None
    assert starting_words(values, {}) == "random, from the seed"


def test_weights_of_a_file(values):
    given = starts(values, kind=start.FILE, file=" nets/a.safetensors ", new_head="yes")
    init = review(WIDER, given).spec.init
    assert (init.file, init.run, init.new_head) == ("nets/a.safetensors", None, True)


@pytest.mark.parametrize(
    ("typed", "given"),
    [("", None), (" a, b ", ("a", "b")), ("n/a.json", "n/a.json"), ("imagenet1k", "imagenet1k")],
)
def test_the_outputs_of_given_weights_are_named(values, typed, given):
    spec = review(WIDER, starts(values, kind=start.FILE, file="a.pt", classes=typed)).spec
    assert spec.init.classes == given


def test_what_given_weights_are_fed_reaches_the_spec_and_a_fine_tuning_of_the_run(values):
    given = starts(values, kind=start.FILE, file="a.pt") | {("normalize", ""): "0.3/0.25"}
    spec = review(WIDER, given).spec
    assert spec.normalize == Normalize(mean=(0.3,), std=(0.25,))
    assert review(WIDER, given | {("normalize", ""): "auto"}).spec.normalize == "auto"
    wrong = review(WIDER, given | {("normalize", ""): "imagenett"})
    assert "'imagenett'" in wrong.errors["normalize"]
    parent = samples.run(spec=spec)
    assert fine_tuning(WIDER, parent, {"ratio": 0.5})["normalize", ""] == "0.3/0.25"


def test_named_outputs_beside_a_new_head_are_refused_where_it_can_be_seen(values):
    given = starts(values, kind=start.FILE, file="a.pt", classes="a,b", new_head="yes")
    assert "leave one out" in review(WIDER, given).errors["init.new_head"]


def test_published_weights_are_named_by_their_tag(values):
    known = CATALOG.architecture(values["architecture", ""]).model_copy(
        update={"published": (PUBLISHED,)}
    )
    catalog = WIDER.model_copy(update={"architectures": (known,)})
    given = starts(values, kind=start.PRETRAINED, pretrained=" V1 ")
    assert review(catalog, given).spec.init == Init(pretrained="V1")
    assert starting_words(given, {}) == "published: V1"
    wrong = review(catalog, starts(values, kind=start.PRETRAINED, pretrained="V3"))
    assert "V1, V2" in wrong.errors["init.pretrained"]
    assert (
        "Tag is empty"
        in review(catalog, starts(values, kind=start.PRETRAINED)).errors["init.pretrained"]
    )


def test_another_run_cut_first_is_fine_tuning(values):
    given = starts(values, kind=start.RUN, run="abcd2345", ratio="60 %")
    spec = review(WIDER, given).spec
    assert spec.init.plan == Plan(ratio=0.6)
    assert spec.fine_tunes
    assert starting_words(given, {"abcd2345": "Demo"}) == "Demo, 60 % cut"


def taught(values, **given):
    cut = starts(values, kind=start.RUN, run="abcd2345", ratio="60 %")
    own = {(f"distill.{name}", ""): value for name, value in given.items()}
    return cut | {("distill", ""): "yes"} | own


def test_a_pruned_network_is_taught_by_the_one_before(values):
    assert review(WIDER, taught(values)).spec.distill == Distill(weight=0.9, temperature=4.0)
    given = taught(values, weight="0.5", temperature="2")
    assert review(WIDER, given).spec.distill == Distill(weight=0.5, temperature=2.0)
    words = starting_words(given, {"abcd2345": "Demo"})
    assert words == "Demo, 60 % cut, with a teacher"


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"weight": "much"}, "distill.weight", "must be a number"),
        ({"weight": "1.5"}, "distill.weight", "at most 1"),
        ({"temperature": "0"}, "distill.temperature", "at least 0.1"),
    ],
)
def test_a_wrong_number_of_the_teacher_is_reported_at_its_field(values, given, path, words):
    assert words in review(WIDER, taught(values, **given)).errors[path]


def test_a_teacher_needs_something_that_is_pruned(values):
    given = taught(values) | {("init.ratio", ""): ""}
    assert "nothing is pruned" in review(WIDER, given).errors["distill"]


@pytest.mark.parametrize("ratio", ["0", "100", "-3", "half"])
def test_a_wrong_cut_is_said_at_its_field(values, ratio):
    seen = review(WIDER, starts(values, kind=start.RUN, run="abcd2345", ratio=ratio))
    assert "between 0 and 100 %" in seen.errors["init.ratio"]


def test_a_source_that_is_still_empty_is_no_error_while_typing(values):
    given = starts(values, kind=start.FILE)
    seen = review(WIDER, given)
    ids = [field_id("init.file")]
    assert seen.spec is None
    assert errors(ids, seen, given, typing=True) == [None]
    assert "must be a path" in errors(ids, seen, given)[0]


def test_only_runs_with_weights_are_offered():
    fresh = samples.run(id="fresh234", best_epoch=None)
    offered = run_options([samples.run(), fresh])
    note = f"abcd2345 · 88.5{NARROW}%"
    assert offered == [{"value": "abcd2345", "label": "first", "note": note}]


EXPLORED = {"epoch": 7, "scope": "global", "threshold": 0.0512, "locks": ["features.0"]}


def test_fine_tuning_takes_over_the_run_and_its_very_cut():
    values = fine_tuning(CATALOG, samples.run(), EXPLORED, 0.614)
    spec = review(CATALOG, values).spec
    assert spec.init.run == "abcd2345"
    assert spec.init.plan == Plan(epoch=7, threshold=0.0512, locks=("features.0",))
    assert spec.architecture_params == samples.SPEC.architecture_params
    assert spec.name == "first, fine-tuned at 61.4 %"


def test_fine_tuning_starts_short_and_without_strength():
    values = fine_tuning(CATALOG, samples.run(), {"epoch": 9, "ratio": 0.6})
    spec = review(CATALOG, values).spec
    assert (spec.epochs, spec.lr) == (2, 0.01)
    assert spec.method_params == {"lam": 0.0}


def test_the_cut_of_explore_is_said_in_words():
    values = fine_tuning(CATALOG, samples.run(), EXPLORED)
    assert plan(values).startswith(
        "The cut chosen in Explore: importances up to 0.0512 removed, at epoch 7, "
        "features.0 left uncut."
    )


def test_another_ratio_typed_replaces_the_cut_of_explore():
    values = fine_tuning(CATALOG, samples.run(), {"epoch": 9, "ratio": 0.6})
    typed = values | {("init.ratio", ""): "30"}
    assert review(CATALOG, typed).spec.init.plan == Plan(ratio=0.3)
    assert plan(typed).replace(NARROW, " ") == "30 % of the neurons removed, at the best epoch."


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("init.run", "init.run"),
        ("init.plan.ratio", "init.ratio"),
        ("init", "init.new_head"),
        ("spec.init.file", "init.file"),
        ("spec.batch_size", "batch_size"),
        ("axes.seed", "axes.seed"),
    ],
)
def test_a_refusal_of_the_server_finds_its_field(said, shown):
    assert shown_at(said) == shown


def test_the_best_epoch_of_a_finished_run_needs_no_name():
    values = fine_tuning(CATALOG, samples.run(), {"epoch": 9, "scope": "global", "ratio": 0.6})
    spec = review(CATALOG, values).spec
    assert spec.init.plan == Plan(ratio=0.6)
    unfinished = samples.run(state="running")
    values = fine_tuning(CATALOG, unfinished, {"epoch": 9, "scope": "global", "ratio": 0.6})
    assert review(CATALOG, values).spec.init.plan.epoch == 9
