"""Published weights: fetched from a server here, found in caches, fed as they were trained."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision import models

from recede.contract.errors import UnknownName
from recede.contract.network.pixels import IMAGENET
from recede.contract.network.weight_files import UnusableWeights
from recede.contract.spec.published import chosen
from recede.contract.spec.run import Init, RunSpec
from recede_worker.engine.initial_weights.published_file import file_of
from recede_worker.engine.initial_weights.published_weights import file_weights
from recede_worker.engine.inputs.splits import Normalisation
from recede_worker.images.folders.decode import square
from recede_worker.images.published.download import DownloadFailed
from recede_worker.networks import ilsvrc
from recede_worker.networks.published import Published
from recede_worker.plugins import registry
from tests.worker.engine.in_process import (
    InProcessWorker,
    cancel,
    manifest,
    refused,
    started,
    weights_of,
    worker,
)

__all__ = ["worker"]

TAG = "IMAGENET1K_V1"
OUTPUTS = {"n02102040": 217, "golf ball": 574, "n01440764": 0}
"""Class folders, by id and by name, and their outputs."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A folder that is served, with random weights of ResNet-18 for a thousand classes."""
    folder = tmp_path_factory.mktemp("served")
    torch.manual_seed(0)
    torch.save(models.resnet18(weights=None).state_dict(), folder / "w.pth")
    digest = hashlib.sha256((folder / "w.pth").read_bytes()).hexdigest()
    (folder / "w.pth").rename(folder / f"resnet18-{digest[:8]}.pth")
    return folder


@pytest.fixture(scope="module")
def address(published: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(published))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Empty caches of the libraries."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def table() -> Iterator[Callable[[str], None]]:
    """Sets the address of the weights in the library's table; it is put back afterwards."""
    registry.architectures()  # whose catalog is made once, from the table as it is
    weights = models.ResNet18_Weights[TAG].value
    before = weights.url
    set_to = partial(object.__setattr__, weights, "url")
    yield set_to
    set_to(before)


@pytest.fixture
def named(published: Path, address: str, table, cache) -> str:
    """What the library's table names as the file of the weights, here on this server."""
    name = next(published.iterdir()).name
    table(f"{address}/{name}")
    return name


@pytest.fixture(scope="module")
def photographs(worker: InProcessWorker) -> str:
    """A few pictures below the data root, in folders of OUTPUTS."""
    for place, name in enumerate(OUTPUTS):
        folder = worker.roots[0] / "photos" / "train" / name
        folder.mkdir(parents=True)
        for n in range(8):
            noise = torch.randint(0, 255, (40, 40, 3), generator=seeded(10 * place + n))
            Image.fromarray(noise.byte().numpy()).save(folder / f"{n}.png")
    return "photos"


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spec_of(path: str, **init: object) -> RunSpec:
    """A spec as the API queues it, filled in."""
    weights = registry.architectures()["resnet18"].info.published[0]
    known = {p.name: p.default for p in registry.datasets()["folder"].info(()).params}
    return RunSpec(
        dataset="folder",
        dataset_params={**known, "path": path, "image_size": 32},
        architecture="resnet18",
        method="l1",
        method_params={"lam": 0.0},
        epochs=0,
        batch_size=4,
        val_fraction=0.3,
        init=Init(pretrained=TAG, **init),
        normalize=weights.normalize,
    )


def test_they_are_downloaded_once_and_the_network_keeps_the_outputs_of_the_folders(
    worker, photographs, published, named
):
    said: list[dict] = []
    job = worker.submit(spec_of(photographs))
    job.publish = said.append
    lines: list[str] = []
    job.log = lines.append
    job.perform()
    worker.finish(job)
    loads = [one for one in said if named in str(one.get("message"))]
    assert loads[-1]["done"] == loads[-1]["total"] == (published / named).stat().st_size
    assert "licence: none stated by the library" in loads[-1]["message"]
    assert any("the head has 3 of 1000 outputs" in line for line in lines)
    kept = worker.roots[0] / "pretrained" / named
    theirs, ours = torch.load(kept, weights_only=True), load_file(weights_of(job))
    index = [OUTPUTS[name] for name in sorted(OUTPUTS)]
    for name, tensor in theirs.items():
        wanted = tensor[index] if name.startswith("fc.") else tensor
        assert torch.equal(ours[name], wanted), name
    made = manifest(job)
    assert (made["start"]["kind"], made["start"]["tag"]) == ("pretrained", TAG)
    assert made["start"]["from"].endswith(named)
    assert made["start"]["outputs"]["index"] == index
    assert made["input"]["mean"] == list(IMAGENET.mean)
    before = kept.stat().st_mtime_ns
    again = worker.submit(spec_of(photographs, new_head=True))
    network, _ = started(again)
    cancel(again)
    assert kept.stat().st_mtime_ns == before
    assert network.model.get_submodule("fc").weight.shape[0] == 3
    kept.unlink()


def test_a_file_in_the_librarys_own_cache_is_used(
    worker, photographs, published, named, cache, table
):
    table(f"http://127.0.0.1:9/{named}")  # nobody answers there
    cache.mkdir(parents=True)
    (cache / named).symlink_to(published / named)
    job = worker.submit(spec_of(photographs))
    network, _ = started(job)
    cancel(job)
    assert network.start["file"] == named
    assert not (worker.roots[0] / "pretrained" / named).exists()


def test_without_a_connection_it_is_said_what_to_fetch_and_where_to_put_it(
    worker, photographs, published, named, table
):
    table(f"http://127.0.0.1:9/{named}")
    error = refused(worker.submit(spec_of(photographs)), DownloadFailed)
    place = worker.roots[0] / "pretrained" / named
    assert f"http://127.0.0.1:9/{named}" in error.message
    assert str(place) in error.hint
    assert not place.exists()
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(published / named)
    job = worker.submit(spec_of(photographs))
    started(job)
    cancel(job)
    place.unlink()


def test_the_published_file_given_by_hand_is_known_and_another_of_its_name_is_not(
    worker, photographs, published, named, tmp_path
):
    job = worker.submit(spec_of(photographs))
    place = worker.roots[0] / "pretrained" / named
    place.symlink_to(published / named)
    network, _ = started(job)
    cancel(job)
    place.unlink()
    weights, record, outputs = file_weights(job, published / named, network, TAG, 3)
    assert (record["kind"], record["file"], record["tag"]) == ("file", named, TAG)
    assert record["from"].endswith(named)
    assert outputs is not None
    assert len(outputs) == len(weights["fc.weight"]) == 1000
    *_, outputs = file_weights(job, published / named, network, TAG, 1000)
    assert outputs is None  # as many classes: in the order of the weights
    other = tmp_path / "resnet18-00000000.pth"
    other.symlink_to(published / named)
    lines: list[str] = []
    job.log = lines.append
    _, record, outputs = file_weights(job, other, network, TAG, 3)
    assert "tag" not in record
    assert outputs is None
    assert "another SHA-256" in lines[0]


def test_another_file_than_the_published_one_is_thrown_away(tmp_path, address, named, cache):
    wrong = Published("resnet18-00000000.pth", "", None, url=f"{address}/{named}")
    with pytest.raises(DownloadFailed, match="not 00000000; the file was deleted"):
        file_of(wrong, (tmp_path,), lambda *_: None)
    assert list((tmp_path / "pretrained").iterdir()) == []


def test_a_file_with_more_than_tensors_in_it_is_refused(worker, photographs, named):
    place = worker.roots[0] / "pretrained" / named
    place.parent.mkdir(exist_ok=True)
    torch.save({"state_dict": {}, "model": torch.nn.Linear(2, 2)}, place)
    error = refused(worker.submit(spec_of(photographs)), UnusableWeights)
    assert "could run code" in error.message
    place.unlink()


def test_every_weights_of_the_catalog_have_a_place_and_as_many_names_as_outputs():
    for name in ("resnet18", "torchvision-any"):
        architecture = registry.architectures()[name]
        for weights in architecture.info.published:
            model, _, tag = weights.names[0].rpartition("/")
            found = architecture.published({"params": {"model": model}}, tag)
            assert found.url.endswith(found.file)
            assert len(found.outputs or ()) == weights.classes
            spec = spec_of("photos").model_copy(
                update={
                    "architecture_params": {"model": model} if model else {},
                    "init": Init(file=f"mine/{found.file}"),
                }
            )
            named = architecture.info.tag_of(spec)
            assert architecture.published({"params": {"model": model}}, named).url == found.url
    with pytest.raises(UnknownName, match="IMAGENET1K_V1"):
        registry.architectures()["resnet18"].published({"params": {}}, "V9")


def test_a_network_that_is_published_with_other_inputs_inside_is_fed_what_it_expects():
    torch.manual_seed(0)
    options = {"aux_logits": False, "init_weights": False}
    theirs = models.googlenet(weights=None, transform_input=True, **options).eval()
    architecture = registry.architectures()["torchvision-any"]
    params = {"model": "googlenet"}
    ours = architecture.original({"params": params, "classes": 1000}).eval()
    ours.load_state_dict(theirs.state_dict())
    found = chosen(architecture.info.published, params, TAG)
    pixels = torch.randint(0, 255, (4, 3, 64, 64), dtype=torch.uint8)
    published = Normalisation(IMAGENET.mean, IMAGENET.std).apply(pixels)
    fed = Normalisation(found.normalize.mean, found.normalize.std).apply(pixels)
    with torch.no_grad():
        assert torch.allclose(ours(fed), theirs(published), atol=1e-4)


@pytest.mark.parametrize("tag", ["IMAGENET1K_V1", "IMAGENET1K_V2"])
def test_an_image_reaches_the_network_nearly_as_through_the_librarys_own_transform(tag):
    weights = models.ResNet50_Weights[tag]
    known = registry.architectures()["resnet50"].info.published
    found = chosen(known, {}, tag)
    coarse = torch.randint(0, 255, (12, 16, 3), generator=seeded(0), dtype=torch.uint8)
    image = Image.fromarray(coarse.numpy()).resize((500, 375), Image.Resampling.BICUBIC)
    ours = square(image, found.image_size, 1 / found.crop_pct, found.interpolation)
    pixels = torch.from_numpy(np.array(ours)).permute(2, 0, 1)[None]
    fed = Normalisation(found.normalize.mean, found.normalize.std).apply(pixels)
    theirs = weights.transforms()(image)[None]
    assert fed.shape == theirs.shape
    # In deviations: they resize and then crop whole pixels, which shifts by up to half a pixel.
    assert (fed - theirs).abs().mean() < 0.05
    plain = square(image, found.image_size)
    whole = torch.from_numpy(np.array(plain)).permute(2, 0, 1)[None]
    other = Normalisation(found.normalize.mean, found.normalize.std).apply(whole)
    assert (other - theirs).abs().mean() > 5 * (fed - theirs).abs().mean()


class Hub(Quiet):
    """As much of the hub as a download needs: facts of the file, then its bytes."""

    def translate_path(self, path: str) -> str:
        wanted = path.partition("/resolve/main/")[2]
        return str(Path(self.directory) / (wanted or "nothing"))

    def end_headers(self) -> None:
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", '"' + "b" * 64 + '"')
        super().end_headers()


def test_weights_are_fetched_from_the_hub_with_progress(tmp_path, monkeypatch, cache):
    constants = pytest.importorskip("huggingface_hub.constants")
    served = tmp_path / "served"
    served.mkdir()
    save_file({"w": torch.zeros(1000)}, served / "model.safetensors")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    here = f"http://127.0.0.1:{server.server_port}"
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    there = template.replace(constants.ENDPOINT, here)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", there)
    monkeypatch.setattr(constants, "ENDPOINT", here)
    said: list[tuple] = []
    found = Published("x.safetensors", "", None, repository="somebody/x")
    try:
        path = file_of(found, (tmp_path / "root",), lambda *report: said.append(report))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert file_of(found, (tmp_path / "root",), lambda *_: None) == path  # asks nobody
    assert path.is_relative_to(tmp_path / "root" / "pretrained")
    assert path.read_bytes() == (served / "model.safetensors").read_bytes()
    size = path.stat().st_size
    assert said[-1] == (size, size, "Downloading somebody/x")


@pytest.fixture
def hub(tmp_path, monkeypatch, cache) -> Path:
    """The hub's cache, empty, and no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_weights_of_the_hub_are_found_in_its_cache_and_read_by_the_library(tmp_path, hub):
    timm = pytest.importorskip("timm")
    architecture = registry.architectures()["timm"]
    config = {"params": {"model": "mobilenetv3_small_050"}}
    torch.manual_seed(1)
    wanted = timm.create_model("mobilenetv3_small_050").state_dict()
    found = architecture.published(config, "lamb_in1k")
    assert found.outputs == ilsvrc.wordnet_ids()
    assert found.licence == "apache-2.0"
    with pytest.raises(DownloadFailed, match="Cannot download") as error:
        file_of(found, (tmp_path / "root",), lambda *_: None)
    assert str(tmp_path / "root" / "pretrained" / found.file) in error.value.hint
    folder = hub / f"models--{found.repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("a" * 40)
    (folder / "snapshots" / ("a" * 40)).mkdir(parents=True)
    save_file(wanted, folder / "snapshots" / ("a" * 40) / "model.safetensors")
    path = file_of(found, (tmp_path / "root",), lambda *_: None)
    read = architecture.adapted(config, "lamb_in1k", path, load_file(path))
    assert read.keys() == wanted.keys()
    assert all(torch.equal(read[name], wanted[name]) for name in wanted)
