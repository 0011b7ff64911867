"""`recede.watch`: records somebody's own training, and never breaks it."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import time
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from recede.client import RecedeClient
from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.metric import Metric
from recede.contract.spec.kept_weights import MB
from recede.contract.spec.run import MAX_EPOCHS, Text
from recede.contract.validation import in_words
from recede.sdk.network.masked import Evaluate
from recede.sdk.network.traced import copied, images_of, traced, unwrapped
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import FORMAT, Begun, Resumed
from recede.sdk.recording.reading import Recording, is_recording, may_go_on
from recede.sdk.sending.thread import Sender
from recede.sdk.serving.serve import serve
from recede.sdk.watching.measuring import Measuring
from recede.sdk.watching.recorder import Recorder, Watched
from recede.sdk.watching.run import Run
from recede.sdk.watching.trouble import Trouble
from recede_worker.core.cutting.discover import Prunable
from recede_worker.core.norms.scaling import Norms

FOLDER = Path("recordings")
"""Where recordings go that are given no folder, below the working directory."""
_UNRECORDED = "Nothing is recorded; the training goes on."
_NO_IMPORTANCES = "Metrics and weights are recorded, importances are not."
_THE_REST = "What follows is recorded; the training goes on."


class _Options(BaseModel):
    """What is said of a training, checked before anything is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text = Field(max_length=120)
    metric: Metric | None
    dataset: Text = Field(max_length=120)
    epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] | None
    weights_mb: Annotated[int, Field(ge=0)]
    curve_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def watch(
    model: nn.Module,
    example_inputs: Tensor,
    *,
    folder: str | Path | None = None,
    name: str = "",
    metric: str | Metric | None = None,
    evaluate: Evaluate | None = None,
    curve_s: float = 60.0,
    dataset: str = "",
    epochs: int | None = None,
    prunable: Prunable = "inner",
    weights_mb: int = 500,
    resume: bool = False,
    server: str | None = None,
    token: str | None = None,
) -> Run:
    """Record a training: call `log` once an epoch and `finish` at its end, or use it with `with`.

    The network is traced once, on a copy on the CPU; the model itself is only read. Of several
    processes rank 0 records. Nothing is raised: what cannot be recorded is logged once by the
    logger `recede`, and the training goes on.

    Args:
        model: what trains; DataParallel, DistributedDataParallel and torch.compile are seen
            through.
        example_inputs: at least one image as the model takes it, (N, C, H, W).
        folder: where to record; one that holds a recording already is not written over: the
            next free name is taken. Without it a folder below `recordings/`.
        metric: what chooses the best epoch, by the name that it is logged by.
        evaluate: gives that metric's value for a network, in evaluation mode and without
            gradients. Cuts are measured by it, on masked copies, in at most 1 % of the
            training's time and in `curve_s` seconds at its end. Of several processes rank 0
            alone calls it, so it may not wait for the others.
        epochs: how many are planned, to show how far it is.
        prunable: "inner" records channels that go alone, "all" also those that shortcuts join.
        weights_mb: disk for the weights of earlier epochs, in MB; the first, the best and the
            last are kept in any case.
        resume: go on with the recording of the folder, unless it was finished.
        server: address of a service that the recording is sent to as well, by a thread; after an
            outage what was recorded meanwhile follows.
        token: sent with it as a bearer token.
    """
    trouble = Trouble()
    with trouble.caught("watching the training", _UNRECORDED):
        if _rank() == 0:
            options = _options(
                name=name,
                metric={"name": metric} if isinstance(metric, str) else metric,
                dataset=dataset,
                epochs=epochs,
                weights_mb=weights_mb,
                curve_s=curve_s,
            )
            _check_evaluate(evaluate, options.metric)
            network = unwrapped(model)
            watched, why = _looked_at(network, example_inputs, prunable, trouble)
            begun = _begun(options, watched, why)
            wanted = Path(folder).expanduser() if folder else FOLDER / _slug(begun.name)
            journal, so_far = _opened(wanted, begun, resume=resume)
            recorder = Recorder(
                watched,
                journal,
                so_far,
                trouble,
                weights_bytes=options.weights_mb * MB,
                clock=time.monotonic,
            )
            measuring = None
            if evaluate is not None and watched.shape is not None:
                measuring = Measuring(
                    evaluate, watched, journal, so_far, trouble, clock=time.monotonic
                )
            with trouble.caught("recording the network before training", _THE_REST):
                recorder.start()
            sender = _sender(server, token, journal.folder, trouble)
            serving = None
            if evaluate is not None:
                serving = partial(
                    serve, model=network, evaluate=evaluate, server=server, token=token
                )
            return Run(trouble, recorder, journal, measuring, options.curve_s, sender, serving)
    return Run(trouble)


def _rank() -> int:
    """Which of several processes this is; torchrun says it before a process group is there."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    given = os.environ.get("RANK", "0")
    return int(given) if given.isdigit() else 0


def _options(**given: Any) -> _Options:
    """The options, checked; raises InvalidInput."""
    try:
        return _Options.model_validate(given)
    except ValidationError as error:
        raise in_words(error.errors(), _Options, subject="recede.watch") from None


def _check_evaluate(evaluate: Evaluate | None, metric: Metric | None) -> None:
    """Raises InvalidInput unless it is known what `evaluate` gives."""
    if evaluate is not None and (metric is None or not callable(evaluate)):
        raise InvalidInput(
            "evaluate was given without a metric, or is no function; it gives the metric's value "
            "for a network.",
            field="evaluate",
            hint="Give metric=: the name of what evaluate returns, and which way it is better.",
        )


def _begun(options: _Options, watched: Watched, why_no_network: str | None) -> Begun:
    architecture = type(watched.model).__name__
    return Begun(
        at=time.time(),
        format=FORMAT,
        key=secrets.token_hex(16),
        recede=metadata.version("recede"),
        name=options.name.strip() or architecture,
        dataset=options.dataset.strip() or "own data",
        epochs=options.epochs,
        metric=options.metric,
        architecture=architecture,
        network=watched.shape,
        why_no_network=why_no_network,
    )


def _looked_at(
    network: nn.Module, example_inputs: Tensor, prunable: Prunable, trouble: Trouble
) -> tuple[Watched, str | None]:
    """The network with what of it can be pruned, or why nothing can."""
    shape: NetworkShape | None = None
    norms: Norms = {}
    with (
        trouble.caught("looking for what can be pruned", _NO_IMPORTANCES) as caught,
        torch.random.fork_rng(devices=[]),  # the training draws what it would have drawn
    ):
        dense, images = copied(network), images_of(example_inputs)
        if images.dtype in (torch.float16, torch.bfloat16):
            dense, images = dense.float(), images.float()
        shape, norms, _ = traced(dense, images, prunable)
    return Watched(network, shape, norms), caught.words


def _opened(folder: Path, begun: Begun, *, resume: bool) -> tuple[Journal, Recording]:
    """The journal of a folder with its first line, and what is recorded so far.

    Raises:
        InvalidInput: a recording of another network would go on.
        Conflict: another process records there.
        OSError: the folder cannot be written.
    """
    if resume and may_go_on(folder):
        journal = Journal(folder)
        recording = Recording(folder)
        if recording.begun.network != begun.network:
            journal.close()
            raise InvalidInput(
                f"{folder} holds a recording of another network, which cannot go on.",
                field="resume",
                hint="Give another folder, or leave resume out.",
            )
        journal.append(Resumed(at=time.time()))
        return journal, recording
    journal = Journal(_free(folder))
    journal.append(begun)
    return journal, Recording(journal.folder)


def _sender(
    server: str | None, token: str | None, folder: Path, trouble: Trouble
) -> Sender | None:
    """The thread that sends the folder to a service, started, if one is named."""
    if server is None:
        return None
    with trouble.caught("sending to the service", "What is recorded stays in its folder."):
        if not server.startswith(("http://", "https://")):
            raise InvalidInput(
                f"server was {server!r}; an address is wanted.",
                field="server",
                hint="Write it with http:// or https://, as `recede up` shows it.",
            )
        sender = Sender(RecedeClient(server, token=token), folder, trouble.say)
        sender.start()
        return sender
    return None


def _free(folder: Path) -> Path:
    """The folder, or the next one after it that holds no recording."""
    numbered = (folder.with_name(f"{folder.name}-{n}") for n in itertools.count(2))
    return next(one for one in itertools.chain((folder,), numbered) if not is_recording(one))


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
