"""How the files of a checkpoint are loaded and verified."""

from __future__ import annotations

import shlex

from recede.contract.schemas import CheckpointOut, FileSnippet

_ANY_INPUT = [3, 224, 224]


def file_snippets(checkpoint: CheckpointOut) -> list[FileSnippet]:
    """One for torch; for onnxruntime and the proof where the checkpoint has such files."""
    found = [FileSnippet(name="torch", label="Load in Python with torch", code=_torch(checkpoint))]
    if "onnx" in checkpoint.files:
        code = _onnx(checkpoint, "onnx", "model.onnx")
        found.append(FileSnippet(name="onnx", label="Load with ONNX Runtime", code=code))
    if "int8" in checkpoint.files:
        code = _onnx(checkpoint, "int8", "model-int8.onnx")
        label = "Load the INT8 network with ONNX Runtime"
        found.append(FileSnippet(name="int8", label=label, code=code))
    if "proof" in checkpoint.files:
        code = f"recede verify {shlex.quote(_filename(checkpoint, 'zip', 'all.zip'))}"
        found.append(FileSnippet(name="verify", label="Verify the files", code=code))
    return found


def _torch(checkpoint: CheckpointOut) -> str:
    """Python that loads the weights into the network of model.py."""
    file = _filename(checkpoint, "safetensors", "model.safetensors")
    module_file = _filename(checkpoint, "python", "model.py")
    name = module_file.removesuffix(".py").replace("-", "_")
    note = "" if module_file == f"{name}.py" else f"  # save {module_file} as {name}.py"
    if "needs" in checkpoint.manifest:
        return f'from {name} import load{note}\n\nnetwork = load("{file}")'
    return (  # written before model.py read its weights itself
        "from safetensors.torch import load_file\n"
        f"from {name} import build{note}\n\n"
        "network = build()\n"
        f'network.load_state_dict(load_file("{file}"))\n'
        "network.eval()"
    )


def _onnx(checkpoint: CheckpointOut, format_: str, default: str) -> str:
    """Python that runs an ONNX file with onnxruntime and numpy alone."""
    shape = (checkpoint.manifest.get("input") or {}).get("shape") or _ANY_INPUT
    file = _filename(checkpoint, format_, default)
    return (
        "import numpy as np\n"
        "import onnxruntime\n\n"
        f'session = onnxruntime.InferenceSession("{file}")\n'
        f"images = np.zeros((1, {', '.join(map(str, shape))}), np.float32)  # normalised\n"
        'scores = session.run(None, {"images": images})[0]'
    )


def _filename(checkpoint: CheckpointOut, format_: str, default: str) -> str:
    file = checkpoint.files.get(format_)
    return file.filename if file else default
