"""How much of a network can go, found out without a run: the same as what a run of it says."""

from __future__ import annotations

import pytest

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.reach import NetworkRequest, share_of
from recede.contract.spec.run import RunSpec
from recede.store.database.engine import open_store, sqlite_url
from recede.store.queue import reaches
from recede_worker.engine.inputs.load import network_for
from recede_worker.engine.inputs.reach import answer, found
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.process.limits import Limits
from tests.worker_process import SMALL

IMAGES, CLASSES = (3, 32, 32), 10


def request(architecture: str, params: dict[str, float | str], size: int = 32) -> NetworkRequest:
    return NetworkRequest(
        architecture=architecture,
        params=params,
        in_channels=IMAGES[0],
        image_size=size,
        classes=CLASSES,
    )


@pytest.fixture
def settings(tmp_path) -> WorkerSettings:
    """Of a worker that traces in this process."""
    url = sqlite_url(tmp_path / "recede.db")
    return WorkerSettings(url, tmp_path, (), 1, trace_limits=Limits(memory_gb=0))


@pytest.mark.parametrize(
    ("architecture", "params"), [("resnet20", {"width": 0.25}), ("resnet18", {})]
)
def test_both_shares_are_those_of_the_networks_that_runs_would_have(
    settings, architecture, params
):
    told = found(settings, request(architecture, params))
    for scope, share in (("inner", told.inner), ("all", told.all)):
        change = {"architecture": architecture, "architecture_params": params, "prunable": scope}
        spec = RunSpec.model_validate(SMALL.model_dump() | change)
        assert share == share_of(network_for(spec, IMAGES, CLASSES).shape)
    assert told.inner.params <= told.all.params


def test_a_network_of_which_only_joined_channels_can_go_says_nothing_of_the_inner_ones(settings):
    told = found(settings, request("timm", {"model": "test_resnet"}))
    assert told.inner.params < told.all.params


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        (request("unheard", {}), UnknownName, "unheard"),
        (request("vgg11", {"width": 1.0}, size=8), InvalidInput, "pixels"),
        (request("timm", {"model": "test_vit"}), InvalidInput, "no BatchNorm2d"),
    ],
)
def test_what_cannot_be_cut_is_answered_with_the_reason(settings, asked, kind, words):
    with pytest.raises(kind):
        found(settings, asked)
    store = open_store(settings.store_url)
    with store.write() as session:
        reaches.ask(session, asked)
    answer(settings, asked)
    with store.read() as session:
        row = reaches.known(session, asked)
        assert words in row.refused
        assert row.reach is None
        assert row.answered_at is not None
    store.close()
