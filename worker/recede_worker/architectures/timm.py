"""Any network of timm that has batch norm; offered where timm is installed (extra `timm`)."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from torch import nn

from recede.contract.spec.catalog import ArchitectureInfo
from recede.contract.spec.params import ParamSpec
from recede_worker.networks.family import Architecture, Config
from recede_worker.networks.traced import Origin, TracedArchitecture

PACKAGE = "timm"
DEFAULT = "mobilenetv3_small_100"


@dataclass(frozen=True)
class TimmNetwork(TracedArchitecture):
    """One of timm's networks, chosen by a parameter; never with its downloaded weights."""

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


def _networks() -> tuple[Architecture, ...]:
    if importlib.util.find_spec(PACKAGE) is None:
        return ()
    model = ParamSpec(
        name="model",
        kind="choice",
        default=DEFAULT,
        label="Model",
        help="timm's name of the network. Those without batch norm, or with layers that cannot "
        "be costed, are refused with the reason when the run starts.",
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
    )
    return (TimmNetwork(info),)


PLUGINS: tuple[Architecture, ...] = _networks()
