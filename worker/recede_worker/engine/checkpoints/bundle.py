"""All files of a checkpoint in one ZIP: with a README and sums that `sha256sum -c` takes.

The bytes depend on nothing but the files: names in order, one fixed time, no compression.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recede_worker.engine.checkpoints.weights import NAMES

README, SUMS = "README.txt", "SHA256SUMS"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a ZIP can hold."""
CONTENTS = {
    "safetensors": "the weights, a plain state_dict in float32",
    "python": "the network as Python: build() and load(path)",
    "pt2": "the same as a torch.export program, for any number of images at once",
    "onnx": "the same as ONNX, for any number of images at once",
    "int8": "the ONNX network quantised to INT8: close to it, not the same",
    "proof": "validation images and the network's outputs for them before it was cut",
    "manifest": "everything known about these files, as JSON",
}
LOAD = {
    "python": '    from model import load\n\n    network = load("model.safetensors")',
    "pt2": '    import torch\n\n    network = torch.export.load("model.pt2").module()',
    "onnx": (
        "    import onnxruntime\n\n"
        '    session = onnxruntime.InferenceSession("model.onnx")\n'
        '    scores = session.run(None, {"images": images})[0]  # float32 N, C, H, W'
    ),
}
LOAD["int8"] = LOAD["onnx"].replace(NAMES["onnx"], NAMES["int8"])


def write_bundle(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Pack what lies in the folder, the manifest included."""
    files = sorted(path for path in folder.iterdir() if path.name != NAMES["zip"])
    readme = read_me(manifest, {path.name for path in files}).encode()
    sums = {path.name: _sha256(path) for path in files}
    sums[README] = hashlib.sha256(readme).hexdigest()
    listed = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    with zipfile.ZipFile(folder / NAMES["zip"], "w") as archive:
        _add(archive, README, readme)
        _add(archive, SUMS, listed.encode())
        for path in files:
            with (
                path.open("rb") as source,
                archive.open(_entry(path.name), "w", force_zip64=True) as target,
            ):
                shutil.copyfileobj(source, target, 1 << 20)


def read_me(manifest: Mapping[str, Any], present: set[str]) -> str:
    """What the files are, how each is loaded and what was measured, as plain text."""
    given = [form for form in CONTENTS if NAMES[form] in present]
    files = "".join(f"  {NAMES[form]:<20}{CONTENTS[form]}\n" for form in given)
    loading = "\n\n".join(
        f"{NAMES[form]} ({_needs(form, manifest)}):\n\n{LOAD[form]}"
        for form in given
        if form in LOAD
    )
    inputs = manifest["input"]
    shape = " × ".join(str(length) for length in inputs["shape"])
    names = ", ".join(map(str, inputs["classes"][:20])) + (", …" * (len(inputs["classes"]) > 20))
    return (
        f"A network cut with Recede: {manifest['architecture']}, run {manifest['run_id']}, "
        f"epoch {manifest['epoch']}\n\n"
        f"Files\n\n{files}\n"
        f"How to load it\n\n{loading}\n\n"
        f"Images are {shape} (channels, height, width), {inputs['scaling']}, with\n"
        f"mean {_numbers(inputs['mean'])} and std {_numbers(inputs['std'])}.\n"
        f"The classes, in the order of the scores: {names}\n\n"
        f"What was measured\n\n{_measured(manifest)}\n"
        "Check it\n\n"
        "  sha256sum -c SHA256SUMS     the bytes are those that were written\n"
        "  recede verify .             and the network is the one that was previewed\n"
    )


def _needs(form: str, manifest: Mapping[str, Any]) -> str:
    if form == "python":
        return "needs " + " and ".join(manifest.get("needs", ["torch"]))
    return "needs torch" if form == "pt2" else "needs onnxruntime"


def _measured(manifest: Mapping[str, Any]) -> str:
    lines = []
    titles = {"validation": "validation accuracy", "test": "test accuracy"}
    for split, title in titles.items():
        cut, dense = (manifest["accuracy"].get(key) for key in (split, f"dense_{split}"))
        lines.append(f"{title}: {_share(cut)}" + (f"; before: {_share(dense)}" if dense else ""))
    for name, title in (("params", "parameters"), ("macs", "multiply-adds")):
        now, before = manifest["cost"][name], manifest["dense_cost"][name]
        lines.append(f"{title}: {now:,} of {before:,} ({100 * now / before:.1f} %)")
    lines += [
        f"latency, {row.get('device', 'cpu')}, batch {row['batch']}, "
        f"{'before' if row.get('dense') else 'now'}: median {row['median_ms']:.3g} ms, "
        f"95th percentile {row['p95_ms']:.3g} ms"
        for row in manifest.get("latency", [])
    ]
    proof = manifest["max_difference"]
    lines.append(
        f"largest difference to the masked network: {proof['cut_vs_masked']:.2g} in float32 "
        f"on {proof['images']} validation images, {proof['cut_vs_masked_float64']:.2g} in "
        f"float64 on {proof['images_float64']}"
    )
    if proof.get("onnx_same_top1") is not None:
        lines.append(
            f"ONNX: same class for {proof['onnx_same_top1']} of {proof['images']} images, "
            f"largest difference {proof['onnx_vs_memory']:.2g}"
        )
    lines += _of_int8(manifest.get("int8") or {})
    return "".join(f"  {line}\n" for line in lines)


def _of_int8(int8: Mapping[str, Any]) -> list[str]:
    """Test accuracy, size and latency of the ONNX files, dense, cut and INT8."""
    names = {"dense": "dense", "cut": "cut", "int8": "cut + INT8"}
    return [
        f"onnxruntime, {names[row['network']]}: test accuracy {_share(row)}; "
        f"{row['size_bytes']:,} bytes; "
        + ", ".join(f"{one['median_ms']:.3g} ms at batch {one['batch']}" for one in row["latency"])
        for row in int8.get("table", [])
    ]


def _share(counted: Mapping[str, int] | None) -> str:
    if not counted:
        return "not measured"
    return f"{100 * counted['correct'] / counted['n']:.2f} % of {counted['n']:,} images"


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3  # Unix: the permissions are read
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_entry(name), data)
