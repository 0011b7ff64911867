"""Any network of timm that has batch norm; offered where timm is installed (extra `timm`)."""

from __future__ import annotations

import importlib
import importlib.util
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.pixels import Normalize
from recede.contract.spec.catalog import ArchitectureInfo
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.published import FIELD, PublishedWeights, name_of
from recede_worker.networks.family import Architecture, Config
from recede_worker.networks.published import Published
from recede_worker.networks.traced import Origin, TracedArchitecture

PACKAGE = "timm"
DEFAULT = "mobilenetv3_small_100"


@dataclass(frozen=True)
class TimmNetwork(TracedArchitecture):
    """One of timm's networks, chosen by a parameter; built without weights."""

    is_sketched = True

    def original(self, config: Config) -> nn.Module:
        """For the wanted number of channels."""
        network: nn.Module = _library().create_model(
            config["params"]["model"],
            pretrained=False,
            in_chans=config["in_channels"],
            num_classes=config["classes"],
        )
        return network

    def published(self, config: Config, tag: str) -> Published:
        """By timm's own order: a repository of the hub, else an address."""
        model = config["params"]["model"]
        known = _configs()
        if (model, tag) not in known:
            tags = [other for name, other in known if name == model]
            raise UnknownName("published weights", tag, tags, field=FIELD)
        found = known[model, tag]
        hub = found.hf_hub_id
        return Published(
            file=f"{model}.{tag}.safetensors" if hub else found.url.rpartition("/")[2],
            licence=found.license or "",
            outputs=_outputs(found),
            url=None if hub else found.url,
            repository=hub,
        )

    def adapted(
        self,
        config: Config,
        tag: str,
        path: Path,
        weights: Mapping[str, Tensor],  # noqa: ARG002 - read again by its own code
    ) -> Mapping[str, Tensor]:
        """Read by timm, which renames the entries of older files and drops unused outputs."""
        name = f"{config['params']['model']}.{tag}"
        try:
            network: nn.Module = _library().create_model(
                name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}
            )
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"timm cannot load {path.name} into {name}: {str(error).splitlines()[0]}",
                field=FIELD,
                hint="Delete the file to have it fetched anew, or choose other weights.",
            ) from error
        return network.state_dict()

    def origin(self, config: Config) -> Origin:
        """timm's `create_model` with the same arguments."""
        model = config["params"]["model"]
        return Origin(
            needs=f"{model} of timm (written with version {_library().__version__})",
            imports="import timm",
            call=(
                "timm.create_model(\n"
                f'        "{model}",\n'
                "        pretrained=False,\n"
                f"        in_chans={config['in_channels']},\n"
                f"        num_classes={config['classes']},\n"
                "    )"
            ),
        )


def _library() -> Any:
    return importlib.import_module(PACKAGE)


@cache
def _configs() -> dict[tuple[str, str], Any]:
    """timm's configuration of weights by model and tag, those in formats of their own left out."""
    found = {}
    for name in _library().list_pretrained():
        model, _, tag = name.partition(".")
        config = _library().get_pretrained_cfg(name)
        if tag and not config.custom_load and (config.url or config.hf_hub_id):
            found[model, tag] = config
    return found


def _outputs(config: Any) -> tuple[str, ...] | None:
    """Names of the outputs: the configuration's own, or ImageNet's by their number."""
    if config.label_names:
        return tuple(config.label_names)
    data = importlib.import_module(f"{PACKAGE}.data")
    subset = data.infer_imagenet_subset({"num_classes": config.num_classes})
    return tuple(data.ImageNetInfo(subset).label_names()) if subset else None


def _published() -> tuple[PublishedWeights, ...]:
    """All weights, those that differ in name alone as one entry."""
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for (model, tag), found in _configs().items():
        channels, size, _ = found.input_size
        if channels == len(found.mean) == len(found.std):
            by = Normalize(mean=found.mean, std=found.std)
            how = found.interpolation if found.interpolation == "bilinear" else "bicubic"
            facts = (by, size, found.crop_pct, how, found.num_classes, found.license or "")
            alike[facts].append(name_of(model, tag))
    return tuple(
        PublishedWeights(
            names=tuple(names),
            normalize=by,
            image_size=size,
            crop_pct=crop,
            interpolation=how,
            classes=classes,
            licence=licence,
        )
        for (by, size, crop, how, classes, licence), names in alike.items()
    )


def _networks() -> tuple[Architecture, ...]:
    if importlib.util.find_spec(PACKAGE) is None:
        return ()
    model = ParamSpec(
        name="model",
        kind="choice",
        default=DEFAULT,
        label="Model",
        help="timm's name of the network. Those without batch norm, or of which nothing can be "
        "cut, are refused with the reason when the run starts.",
        choices=tuple(sorted(_library().list_models())),
    )
    info = ArchitectureInfo(
        name=PACKAGE,
        label="timm",
        help="Any convolutional network with batch norm of the library timm, untrained. What "
        "of it can be cut is found by tracing.",
        params=(model,),
        min_image=16,
        max_image=512,
        published=_published(),
    )
    return (TimmNetwork(info),)


PLUGINS: tuple[Architecture, ...] = _networks()
