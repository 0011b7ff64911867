"""A catalog as a worker would publish it, small and made by hand."""

from __future__ import annotations

from recede.contract.network.pixels import Normalize
from recede.contract.spec.catalog import (
    ArchitectureInfo,
    Catalog,
    CriterionInfo,
    DatasetInfo,
    Device,
    MethodInfo,
)
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.published import PublishedWeights
from tests.backend.store.samples import SPEC

LAM = ParamSpec(
    name="lam",
    kind="float",
    default=0.001,
    label="Strength λ",
    help="",
    minimum=0,
    maximum=10,
    bound_reason="a negative λ would push neurons up",
    per_steps=125.0,
)
SHIFT = ParamSpec(
    name="shift", kind="float", default=3.0, label="Shift b", help="", minimum=0, maximum=10
)
WIDTH = ParamSpec(
    name="width",
    kind="float",
    default=1.0,
    label="Width",
    help="",
    minimum=0.05,
    maximum=4,
    bound_reason="below 0.05 a layer has fewer than 3 channels",
)


def dataset(name: str, status: str = "ready", detail: str = "") -> DatasetInfo:
    return DatasetInfo(
        name=name,
        label=name,
        help="",
        channels=1,
        image_size=32,
        classes=10,
        n_train=1438,
        n_test=359,
        status=status,
        detail=detail,
    )


PUBLISHED = PublishedWeights(
    names=("V1", "V2"),
    normalize=Normalize(mean=(0.5,), std=(0.25,)),
    image_size=28,
    crop_pct=0.875,
    interpolation="bicubic",
    classes=100,
    licence="mit",
    size_bytes=12_000_000,
    file="tiny-12345678.pth",
)

CATALOG = Catalog(
    methods=(
        MethodInfo(
            name="rni", label="RNI", help="", params=(LAM, SHIFT), scale="bounded", scope="global"
        ),
        MethodInfo(name="ucs", label="UCS", help="", scale="plain", scope="local"),
    ),
    architectures=(
        ArchitectureInfo(
            name="tiny",
            label="Tiny",
            help="",
            params=(WIDTH,),
            min_image=28,
            max_image=32,
            published=(PUBLISHED,),
        ),
        ArchitectureInfo(name="large", label="Large", help="", min_image=224, max_image=224),
    ),
    datasets=(
        dataset("digits"),
        dataset("gone", "missing", "its files are not there; put them into the data folder"),
    ),
    criteria=tuple(
        CriterionInfo(name=name, label=name, help="") for name in ("importance", "taylor")
    ),
    devices=(Device(name="cpu", label="a processor"),),
    demo=SPEC.model_copy(update={"name": "demo", "epochs": 2, "method_params": {"lam": 0.05}}),
)
