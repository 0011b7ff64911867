"""The optional packages, `recede[worker]` and `recede[postgres]`: whether they are installed."""

from __future__ import annotations

from importlib.util import find_spec

from recede.contract.errors import NotInstalled

WORKER_PACKAGES = {
    "torch": "torch",
    "torchvision": "torchvision",
    "safetensors": "safetensors",
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "onnxruntime": "onnxruntime",
    "sklearn": "scikit-learn",
    "scipy": "scipy",
    "PIL": "pillow",
    "filelock": "filelock",
    "psutil": "psutil",
}
"""The extra `worker`: the module that is imported → the distribution that brings it."""

INSTALL = "pip install 'recede[worker]'"


def missing_worker_packages() -> list[str]:
    """Distributions of the extra `worker` that are not installed; nothing is imported."""
    return [name for module, name in WORKER_PACKAGES.items() if find_spec(module) is None]


def require_worker(command: str) -> None:
    """Raise NotInstalled, naming `command`, if a worker cannot start on this machine."""
    if missing := missing_worker_packages():
        raise NotInstalled(
            f"`{command}` needs packages that are not installed: {', '.join(missing)}.",
            hint=f"To install them: {INSTALL}",
        )


def how_to_add_a_worker(store_url: str) -> str:
    """How to add a worker to a web side that runs without one, as lines of text."""
    sqlite = store_url.startswith("sqlite")
    database = (
        "a PostgreSQL database, here too (RECEDE_STORE_URL): SQLite serves one machine only"
        if sqlite
        else "the database of this service"
    )
    return (
        "Nothing is trained, measured or pruned until a worker runs. To add one\n"
        f"  on this machine: {INSTALL}, then start Recede again\n"
        "  on another machine: pip install 'recede[worker,postgres]', then\n"
        "    recede worker --store URL --data FOLDER\n"
        f"    URL     {database}\n"
        "    FOLDER  a data folder whose artifacts/ is the one of this service, on a shared disk"
    )
