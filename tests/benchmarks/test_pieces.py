"""A long benchmark that is started again does only what is not in its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parts.experiment.pieces import Pieces

ASKED = {"begun": {"seed": 0, "lr": 0.1}, "ratios": (0.5, 0.8)}


def silent(_: str) -> None:
    """Where no progress is shown."""


def never() -> dict[str, float]:
    raise AssertionError("it was measured again")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "results.jsonl"


def test_a_finished_piece_is_not_measured_again_by_the_next_process(path: Path):
    found = Pieces(path, silent).once("a", ASKED, lambda: {"accuracy": 0.9})
    assert found == {"accuracy": 0.9}
    in_other_order = dict(reversed(ASKED.items()))
    assert Pieces(path, silent).once("other label", in_other_order, never) == found


def test_other_settings_are_another_piece(path: Path):
    pieces = Pieces(path, silent)
    pieces.once("a", ASKED, lambda: {"accuracy": 0.9})
    other = {**ASKED, "begun": {"seed": 0, "lr": 0.05}}
    assert pieces.once("a", other, lambda: {"accuracy": 0.8}) == {"accuracy": 0.8}
    assert pieces.once("a", ASKED, never) == {"accuracy": 0.9}


@pytest.mark.parametrize("kept", [0, 1, -1])
def test_a_line_that_was_not_written_to_its_end_is_measured_anew(path: Path, kept: int):
    """`kept` bytes of the second line were on disk when the machine went down."""
    pieces = Pieces(path, silent)
    pieces.once("first", {"seed": 0}, lambda: {"accuracy": 0.9})
    whole = path.read_bytes()
    pieces.once("second", {"seed": 1}, lambda: {"accuracy": 0.8})
    path.write_bytes(whole + path.read_bytes()[len(whole) :][:kept])
    again = Pieces(path, silent)
    assert again.once("first", {"seed": 0}, never) == {"accuracy": 0.9}
    assert again.once("second", {"seed": 1}, lambda: {"accuracy": 0.7}) == {"accuracy": 0.7}
    assert again.once("second", {"seed": 1}, never) == {"accuracy": 0.7}
    assert path.read_bytes().startswith(whole)


def test_a_piece_that_fails_is_named_and_tried_again_by_the_next_process(path: Path):
    said: list[str] = []
    pieces = Pieces(path, said.append)

    def diverges() -> dict[str, float]:
        raise RuntimeError("the loss is not finite")

    assert pieces.once("strong λ", ASKED, diverges) is None
    assert pieces.failed == ["strong λ"]
    assert "the loss is not finite" in said[0]
    assert Pieces(path, silent).once("strong λ", ASKED, lambda: {"accuracy": 0.5}) is not None
