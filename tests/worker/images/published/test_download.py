"""Downloads arrive whole or not at all."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from urllib.error import URLError

import pytest

from recede.contract.errors import StorageProblem
from recede_worker.images.published import download
from recede_worker.images.published.download import (
    DownloadFailed,
    can_download,
    fetch,
)

BODY = bytes(range(256)) * 100
MD5 = hashlib.md5(BODY).hexdigest()


class Response(io.BytesIO):
    """What a server sends, which may be less than it promises."""

    def __init__(self, body, promised):
        super().__init__(body)
        self.headers = {"Content-Length": str(promised)}


def serve(monkeypatch, body):
    promised = len(BODY)
    monkeypatch.setattr(download, "urlopen", lambda *_, **__: Response(body, promised))


def test_a_file_appears_whole_and_progress_reaches_its_size(tmp_path, monkeypatch):
    serve(monkeypatch, BODY)
    monkeypatch.setattr(download, "CHUNK_BYTES", 10_000)
    told = []
    fetch("http://x/f", tmp_path / "new" / "f", MD5, lambda *report: told.append(report))
    assert (tmp_path / "new" / "f").read_bytes() == BODY
    assert [done for done, _, _ in told] == [10_000, 20_000, 25_600]
    assert told[-1] == (25_600, 25_600, "Downloading f")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("body", "words"),
    [(BODY[:-1], "after 25599 of 25600 bytes"), (BODY[:-1] + b"!", "checksum")],
)
def test_a_short_or_wrong_file_is_thrown_away(tmp_path, monkeypatch, body, words):
    serve(monkeypatch, body)
    with pytest.raises(DownloadFailed, match=words):
        fetch("http://x/f", tmp_path / "f", MD5, lambda *_: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_taken_up_again(tmp_path, monkeypatch, ranges):
    asked = []

    def answer(request, **_):
        start = int(request.get_header("Range", "bytes=0-")[6:-1]) if ranges else 0
        asked.append(start)
        whole = BODY[start:]
        # The first two answers end early.
        response = Response(whole if len(asked) == 3 else whole[:10_000], len(whole))
        response.status = 206 if start else 200
        return response

    monkeypatch.setattr(download, "urlopen", answer)
    fetch("http://x/f", tmp_path / "f", MD5, lambda *_: None)
    assert (tmp_path / "f").read_bytes() == BODY
    assert asked == ([0, 10_000, 20_000] if ranges else [0, 0, 0])


def test_an_interruption_leaves_nothing_and_is_passed_on(tmp_path, monkeypatch):
    serve(monkeypatch, BODY)

    def cancel(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("http://x/f", tmp_path / "f", MD5, cancel)
    assert list(tmp_path.iterdir()) == []


def test_no_connection_is_said_in_words(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(download, "urlopen", refuse)
    with pytest.raises(DownloadFailed, match=r"http://x/f.*no route to host"):
        fetch("http://x/f", tmp_path / "f", MD5, lambda *_: None)


def test_a_folder_that_cannot_be_made_is_a_storage_problem(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageProblem, match="Cannot write"):
        fetch("http://x/f", tmp_path / "file" / "f", MD5, lambda *_: None)


def test_downloads_are_possible_below_a_folder_that_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert can_download([tmp_path])
    assert can_download([tmp_path / "a" / "b"])
    assert not can_download([tmp_path / "file"])
    assert not can_download([tmp_path / "file" / "a"])
    assert not can_download([])


def test_below_a_folder_that_may_not_be_searched_there_are_no_downloads(tmp_path, monkeypatch):
    def forbid(_path):
        raise PermissionError

    monkeypatch.setattr(Path, "exists", forbid)
    assert not can_download([tmp_path / "a"])
