"""Checkpoints and their downloads: ranges, tags, names, files that are gone."""

from __future__ import annotations

import hashlib

import pytest

from recede.contract.states import CheckpointKind
from recede.store.results import evaluations
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import add_checkpoint

BODY = bytes(range(256)) * 8


@pytest.fixture
def pruned(store, settings, finished) -> str:
    return add_checkpoint(
        store, settings.artifacts, finished.id, 3, kind=CheckpointKind.PRUNED, body=BODY
    )


def url(checkpoint_id: str) -> str:
    return f"/api/v1/checkpoints/{checkpoint_id}/download"


def test_checkpoints_of_a_run_newest_first(http, finished, pruned):
    page = http.get(f"/api/v1/runs/{finished.id}/checkpoints").json()
    assert page["next"] is None
    assert [item["kind"] for item in page["items"]] == ["pruned", "trained", "trained"]
    one = http.get(f"/api/v1/checkpoints/{pruned}").json()
    assert one == page["items"][0]
    assert set(one["formats"]) == set(one["files"]) == {"safetensors", "manifest"}
    assert one["sha256"] == hashlib.sha256(BODY).hexdigest()


def test_a_download_is_the_file_under_a_name_that_says_what_it_is(http, finished, pruned):
    file = http.get(f"/api/v1/checkpoints/{pruned}").json()["files"]["safetensors"]
    answer = http.get(file["url"])
    assert answer.content == BODY
    assert answer.headers["etag"] == f'"{hashlib.sha256(BODY).hexdigest()}"'
    assert answer.headers["content-length"] == str(len(BODY)) == str(file["size_bytes"])
    name = f"recede-{finished.id}-pruned-e3-r60.safetensors"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert file["filename"] == name
    assert "content-encoding" not in answer.headers


def test_trained_weights_carry_no_ratio_in_their_name(http, finished):
    answer = http.get(url(finished.weights), params={"format": "manifest"})
    assert f"recede-{finished.id}-trained-e3.json" in answer.headers["content-disposition"]


def test_head_tells_without_sending(http, pruned):
    answer = http.head(url(pruned))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(BODY))


@pytest.mark.parametrize(
    ("asked", "wanted", "told"),
    [
        ("bytes=0-9", BODY[:10], "bytes 0-9/2048"),
        ("bytes=2000-", BODY[2000:], "bytes 2000-2047/2048"),
        ("bytes=-5", BODY[-5:], "bytes 2043-2047/2048"),
        ("bytes=2040-9999", BODY[2040:], "bytes 2040-2047/2048"),
    ],
)
def test_a_range_is_sent_alone(http, pruned, asked, wanted, told):
    answer = http.get(url(pruned), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, wanted)
    assert answer.headers["content-range"] == told


def test_a_range_behind_the_end_is_refused_in_words(http, pruned):
    answer = http.get(url(pruned), headers={"Range": "bytes=5000-"})
    assert "2048 bytes" in refused(answer, 416)["message"]
    assert answer.headers["content-range"] == "bytes */2048"


@pytest.mark.parametrize("asked", ["bytes=x", "lines=1-2", "bytes=", "bytes=9-2", ""])
def test_a_range_that_cannot_be_read_is_ignored(http, pruned, asked):
    answer = http.get(url(pruned), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, BODY)


def test_a_broken_download_goes_on_only_if_the_file_is_the_same(http, pruned):
    tag = http.head(url(pruned)).headers["etag"]
    same = http.get(url(pruned), headers={"Range": "bytes=10-", "If-Range": tag})
    other = http.get(url(pruned), headers={"Range": "bytes=10-", "If-Range": '"old"'})
    assert (same.status_code, same.content) == (206, BODY[10:])
    assert (other.status_code, other.content) == (200, BODY)


def test_a_file_that_the_reader_has_is_not_sent_again(http, pruned):
    tag = http.head(url(pruned)).headers["etag"]
    assert http.get(url(pruned), headers={"If-None-Match": tag}).status_code == 304


def test_an_unknown_format_names_those_that_there_are(http, pruned):
    error = refused(http.get(url(pruned), params={"format": "onnx"}))
    assert error["field"] == "format"
    assert "safetensors" in error["message"]


def test_a_file_gone_from_disk_is_said(http, settings, pruned):
    next(settings.artifacts.rglob(f"{pruned}.safetensors")).unlink()
    error = refused(http.get(url(pruned)), 404)
    assert "is missing" in error["message"]
    assert "recreate" in error["hint"]


def test_a_file_cut_short_on_disk_is_not_sent(http, settings, pruned):
    next(settings.artifacts.rglob(f"{pruned}.safetensors")).write_bytes(BODY[:100])
    assert "100 bytes" in refused(http.get(url(pruned)), 507)["message"]


@pytest.mark.parametrize("checkpoint_id", ["nope", "..%2f..%2fx", "a%00"])
def test_a_checkpoint_that_is_none_is_not_found(http, checkpoint_id):
    assert refused(http.get(f"/api/v1/checkpoints/{checkpoint_id}"), 404)
    assert refused(http.get(url(checkpoint_id)), 404)


def test_the_zip_of_all_files_is_a_format_like_the_others(http, store, settings, finished):
    id_ = add_checkpoint(
        store, settings.artifacts, finished.id, 3, kind=CheckpointKind.PRUNED, body=BODY
    )
    with store.write() as session:
        row = evaluations.checkpoint(session, id_)
        row.files = {**row.files, "zip": row.files["safetensors"]}
    file = http.get(f"/api/v1/checkpoints/{id_}").json()["files"]["zip"]
    assert file["filename"] == f"recede-{finished.id}-pruned-e3-r60.zip"
    part = http.get(file["url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, BODY[10:20])
    again = http.get(file["url"], headers={"If-None-Match": part.headers["etag"]})
    assert again.status_code == 304
