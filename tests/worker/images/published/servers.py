"""What servers of published data sets send, made small, and a network that sends it."""

from __future__ import annotations

import io
import tarfile

import numpy as np

from recede_worker.images.published import download


def serve(monkeypatch, body) -> None:
    """Answer every request with these bytes, or with what a function of the URL returns."""

    class Response(io.BytesIO):
        @property
        def headers(self):
            return {"Content-Length": str(len(self.getbuffer()))}

    def answer(request, **_):
        return Response(body(request.full_url) if callable(body) else body)

    monkeypatch.setattr(download, "urlopen", answer)


def archived(folder: str, files: dict[str, bytes]) -> bytes:
    """A tar.gz with one folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()
