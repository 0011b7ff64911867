"""Benches: found by the SHA-256 of a file, kept once a condition, gone with their checkpoint."""

from __future__ import annotations

from recede.contract.states import CheckpointKind
from recede.store.database.engine import Store
from recede.store.results import benches, evaluations
from recede.store.results.evaluations import StoredFile
from tests.backend.store.samples import add_run

SHAS = {"safetensors": "a" * 64, "onnx": "b" * 64, "manifest": "c" * 64}
ROW = {
    "runtime": "onnxruntime",
    "version": "1",
    "provider": "CPUExecutionProvider",
    "device": "a board",
    "threads": 4,
    "batch": 1,
    "median_ms": 2.0,
    "p95_ms": 3.0,
    "n": 50,
}


def add(store: Store, id_: str) -> None:
    run_id, _ = add_run(store)
    with store.write() as session:
        evaluations.put_checkpoint(
            session,
            id_=id_,
            run_id=run_id,
            kind=CheckpointKind.PRUNED,
            epoch=1,
            files={name: StoredFile(name, 1, sha) for name, sha in SHAS.items()},
            manifest={},
        )


def test_a_network_file_is_known_by_its_sum_and_a_manifest_is_none(store: Store):
    add(store, "one")
    add(store, "two")
    with store.read() as session:
        found = benches.holders(session, SHAS["onnx"])
        assert {(row.id, format_) for row, format_ in found} == {("one", "onnx"), ("two", "onnx")}
        assert benches.holders(session, SHAS["manifest"]) == []
        assert benches.holders(session, "d" * 64) == []


def test_a_condition_is_kept_once_and_goes_with_its_checkpoint(store: Store):
    add(store, "one")
    with store.write() as session:
        row = evaluations.checkpoint(session, "one")
        benches.put(session, row, "onnx", [ROW, {**ROW, "batch": 64}])
        benches.put(session, row, "onnx", [{**ROW, "median_ms": 1.0, "version": "2"}])
    with store.write() as session:
        found = benches.known(session, ["one", "other"])
        assert [(one.batch, one.median_ms, one.version) for one in found] == [
            (1, 1.0, "2"),
            (64, 2.0, "1"),
        ]
        session.delete(evaluations.checkpoint(session, "one"))
    with store.read() as session:
        assert benches.known(session, ["one"]) == []
