"""Names of outputs: how files give them, and which output belongs to which class."""

from __future__ import annotations

import json
import random

import pytest

from recede.contract.network.class_names import WrongClasses, outputs_of, read_names

NAMES = ("cat", "dog", "Great white_shark")
FORMS = {
    "lines.txt": "\ncat\n dog \r\nGreat white_shark\n",
    "list.json": json.dumps(NAMES),
    "places.json": json.dumps({str(place): name for place, name in enumerate(NAMES)}),
    "folders.json": json.dumps({name: place for place, name in enumerate(NAMES)}),
    "pairs.json": json.dumps({str(place): [name, "x"] for place, name in enumerate(NAMES)}),
}


@pytest.mark.parametrize("form", FORMS)
def test_names_are_read_in_the_order_of_the_outputs(tmp_path, form):
    path = tmp_path / form
    path.write_text(FORMS[form], newline="")
    assert read_names(path) == NAMES


@pytest.mark.parametrize(
    "text",
    ["", "cat", "[1, 2]", '["cat", ""]', '{"0": "cat", "2": "dog"}', "[" * 100_000, "{}", "\xff"],
)
def test_a_file_that_names_no_outputs_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "bad.txt"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(WrongClasses, match=r"'bad.txt'") as error:
        read_names(path)
    assert error.value.field == "init.classes"
    with pytest.raises(WrongClasses, match="is not a file"):
        read_names(tmp_path)


def test_any_order_and_any_more_outputs_give_each_class_its_own():
    names = [f"class {n}" for n in range(40)]
    random.Random(0).shuffle(names)
    classes = sorted(names)[:12]
    chosen = outputs_of([name.upper().replace(" ", "_") for name in classes], names)
    assert [names[place] for place in chosen] == classes


def test_missing_and_repeated_names_are_listed():
    with pytest.raises(WrongClasses, match=r"2 of 3 .* not among the 2 outputs: 'eel', 'ray'"):
        outputs_of(["cat", "eel", "ray"], ["cat", "dog"])
    with pytest.raises(WrongClasses, match=r"Several outputs .*: 'CAT'"):
        outputs_of(["cat", "dog"], ["CAT", "dog", "cat"])
    assert outputs_of(["dog", "eel"], ["cat", "dog", "cat", "eel"]) == [1, 3]
    with pytest.raises(WrongClasses, match=r"the name of one output: 'cat', 'Cat'"):
        outputs_of(["cat", "Cat", "dog"], ["cat", "dog"])
