"""The Files tab: what can be downloaded, what it is worth, and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from backend.client import CheckpointOut, RunOut
from dashboard import format as say
from dashboard.components.attributes import attrs
from dashboard.components.icons import icon
from dashboard.snippets import loading

KINDS = {"trained": "Trained", "pruned": "Pruned", "finetuned": "Pruned and fine-tuned"}
FORMATS = {
    "safetensors": "weights",
    "manifest": "manifest",
    "python": "model.py",
    "pt2": "torch.export",
}


def files(checkpoints: Sequence[CheckpointOut], run: RunOut) -> Component:
    """One card for each set of weights: pruned ones first, then the newest."""
    if not checkpoints:
        return html.Section(
            [
                html.H2("No files yet"),
                html.P(
                    "The weights of the best and of the last epoch are kept from the first epoch "
                    "on; a pruned network appears here when it was cut in Explore."
                ),
            ],
            className="state-panel",
            **attrs(data_testid="files-empty"),
        )
    ordered = sorted(checkpoints, key=lambda c: (c.kind == "trained", -c.created_at))
    return html.Div([_card(c, run) for c in ordered], className="files")


def proof(manifest: dict[str, Any]) -> str | None:
    """That the cut network computes what the masked one does, if it was recorded."""
    differences = manifest.get("max_difference") or {}
    cut = differences.get("cut_vs_masked")
    if cut is None:
        return None
    line = f"cut = masked, max |Δ| = {cut:.1e}" if cut else "cut = masked, max |Δ| = 0"
    file = differences.get("file_vs_memory")
    if file is not None:
        line += (
            f"; file = memory, max |Δ| = {file:.1e}" if file else "; file = memory, max |Δ| = 0"
        )
    return line


def _card(checkpoint: CheckpointOut, run: RunOut) -> Component:
    return html.Article(
        [
            html.Div(
                [_title(checkpoint, run.best_epoch), _links(checkpoint)], className="file-head"
            ),
            html.Dl(
                [
                    html.Div([html.Dt(name), html.Dd(value)], className="fact")
                    for name, value in measures(_completed(checkpoint, run))
                ],
                className="file-facts",
            ),
            _sha(checkpoint),
            _proof(checkpoint),
            _loading(checkpoint),
        ],
        className=f"card file file-{checkpoint.kind}",
        **attrs(data_testid=f"checkpoint-{checkpoint.kind}"),
    )


def _completed(checkpoint: CheckpointOut, run: RunOut) -> dict[str, Any]:
    """The manifest; the best epoch's with the test accuracy measured after it was written."""
    manifest, test = checkpoint.manifest, run.test_accuracy
    is_best = checkpoint.kind == "trained" and checkpoint.epoch == run.best_epoch
    accuracy = manifest.get("accuracy") or {}
    if not is_best or test is None or accuracy.get("test"):
        return manifest
    measured = {"correct": round(test.value * test.n), "n": test.n}
    return {**manifest, "accuracy": {**accuracy, "test": measured}}


def measures(manifest: dict[str, Any]) -> list[tuple[str, Any]]:
    """Accuracy and cost, each beside the dense network's where that is known."""
    accuracy = manifest.get("accuracy") or {}
    cost, dense = manifest.get("cost") or {}, manifest.get("dense_cost") or {}
    return [
        ("Test accuracy", _beside(accuracy, "test")),
        ("Validation accuracy", _beside(accuracy, "validation")),
        ("Parameters", _share(cost.get("params"), dense.get("params"))),
        ("Multiply-adds", _share(cost.get("macs"), dense.get("macs"))),
    ]


def _beside(accuracy: dict[str, Any], split: str) -> Any:
    here, dense = accuracy.get(split), accuracy.get(f"dense_{split}")
    if not here or not here.get("n"):
        return "–"
    note = f"n = {say.count(here['n'])}"
    if dense and dense != here:
        note += f"; dense {say.counted(dense)}"
    return [say.counted(here), html.Div(note, className="tile-note")]


def _share(value: int | None, dense: int | None) -> Any:
    if value is None:
        return "–"
    lines: list[Any] = [say.short_count(value)]
    if dense and dense != value:
        note = f"{100 * value / dense:.1f} % of {say.short_count(dense)}"
        lines.append(html.Div(note, className="tile-note"))
    return lines


def _title(checkpoint: CheckpointOut, best_epoch: int | None) -> Component:
    words = [KINDS.get(checkpoint.kind, checkpoint.kind)]
    ratio = checkpoint.manifest.get("ratio")
    if checkpoint.kind != "trained" and ratio is not None:
        words.append(f"{100 * ratio:.0f} % of the neurons removed")
    words.append(f"epoch {checkpoint.epoch}")
    if checkpoint.kind == "trained" and checkpoint.epoch == best_epoch:
        words.append("best")
    return html.Div(
        [
            html.H3(words[0], className="file-kind"),
            html.Span(" · ".join(words[1:]), className="muted"),
        ],
        className="file-title",
    )


def _links(checkpoint: CheckpointOut) -> Component:
    names = [name for name in FORMATS if name in checkpoint.files]
    names += [name for name in checkpoint.files if name not in FORMATS]
    return html.Div(
        [_link(checkpoint, name, first=i == 0) for i, name in enumerate(names)],
        className="file-links",
    )


def _link(checkpoint: CheckpointOut, name: str, *, first: bool) -> Component:
    file = checkpoint.files[name]
    return html.A(
        [
            icon("down"),
            FORMATS.get(name, name),
            html.Span(say.size(file.size_bytes), className="link-size"),
        ],
        href=file.url,
        className="btn btn-primary" if first else "btn",
        title=f"{file.filename}, {say.count(file.size_bytes)} bytes",
        **attrs(download=file.filename, data_testid=f"download-{name}-{checkpoint.kind}"),
    )


def _sha(checkpoint: CheckpointOut) -> Component:
    return html.Div(
        [
            html.Span("SHA-256", className="label"),
            html.Code(checkpoint.sha256, className="sha"),
            html.Button(
                "Copy",
                className="btn btn-small",
                **attrs(data_copy=checkpoint.sha256, aria_label="Copy the SHA-256"),
            ),
        ],
        className="sha-line",
    )


def _proof(checkpoint: CheckpointOut) -> Component | None:
    line = proof(checkpoint.manifest)
    if line is None:
        return None
    return html.Div(
        [icon("check"), html.Span(line)], className="proof", **attrs(data_testid="proof")
    )


def _loading(checkpoint: CheckpointOut) -> Component:
    target = f"snippet-{checkpoint.id}"
    return html.Details(
        [
            html.Summary("Load it in Python, with torch and safetensors alone"),
            html.Div(
                [
                    html.Button("Copy", className="btn btn-small", **attrs(data_copy_from=target)),
                    html.Pre(loading(checkpoint), id=target, className="code"),
                ],
                className="snippet",
            ),
        ],
        className="snippets",
        open=checkpoint.kind != "trained",
    )
