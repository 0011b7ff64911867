"""The Files tab: what can be downloaded, its accuracy and cost, and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from recede.client import CheckpointOut, RunOut
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.pages.run.checkpoints.benches import benches
from recede_dashboard.pages.run.checkpoints.int8 import int8_table
from recede_dashboard.pages.run.checkpoints.provenance import made, requested
from recede_dashboard.pages.run.checkpoints.table import (
    file_table,
    link,
    loading,
    ordered,
    proof_in_words,
)
from recede_dashboard.words import numbers

KINDS = {"trained": "Trained", "pruned": "Pruned", "finetuned": "Pruned and fine-tuned"}


def files(
    checkpoints: Sequence[CheckpointOut], run: RunOut, compared: Component | None = None
) -> Component:
    """One card for each set of weights: pruned ones first, then the newest and the best epoch.

    Weights of earlier epochs are one line each. `compared` is the table of a fine-tuning.
    """
    if not checkpoints and run.recording is not None:
        return html.Section(
            [
                html.H2("Its files are where it trains"),
                html.P(
                    "This run is recorded elsewhere: its weights are in the folder of the "
                    "recording. Cut them in the same script with recede.cut(model, images, plan)."
                ),
            ],
            className="state-panel",
            **attrs(data_testid="files-empty"),
        )
    if not checkpoints:
        return html.Section(
            [
                html.H2("No files yet"),
                html.P(
                    "The weights of the best and the last epoch are saved from epoch 1 on. A "
                    "pruned network appears here once its files are created in Explore."
                ),
            ],
            className="state-panel",
            **attrs(data_testid="files-empty"),
        )
    trained = [c for c in checkpoints if c.kind == "trained"]
    last = max((c.epoch for c in trained), default=None)
    earlier = [c for c in trained if c.epoch not in (last, run.best_epoch)]
    ordered = sorted(checkpoints, key=lambda c: (c.kind == "trained", -c.created_at))
    cards = [_card(c, run) for c in ordered if c not in earlier]
    return html.Div([compared, *cards, _earlier(earlier)], className="files")


def _earlier(checkpoints: Sequence[CheckpointOut]) -> Component | None:
    """The weights of epochs that are neither the best nor the last, folded."""
    if not checkpoints:
        return None
    total = numbers.size(sum(c.size_bytes for c in checkpoints))
    many = numbers.plural(len(checkpoints), "earlier epoch")
    rows = [
        html.Li(
            [
                html.Span(f"Epoch {c.epoch}"),
                html.Span(f"validation {_validation(c)}", className="muted"),
                _links(c),
            ]
        )
        for c in sorted(checkpoints, key=lambda c: -c.epoch)
    ]
    note = f"{total}; each of them can be pruned in Explore"
    return html.Details(
        [
            html.Summary([f"Weights of {many}", html.Span(note, className="label")]),
            html.Ul(rows, className="earlier-rows"),
        ],
        className="card earlier",
        **attrs(data_testid="earlier-weights"),
    )


def _validation(checkpoint: CheckpointOut) -> str:
    return numbers.manifest_accuracy((checkpoint.manifest.get("accuracy") or {}).get("validation"))


def _card(checkpoint: CheckpointOut, run: RunOut) -> Component:
    return html.Article(
        [
            html.Div(
                [_title(checkpoint, run.best_epoch), made(checkpoint)], className="file-head"
            ),
            requested(checkpoint.manifest.get("plan")),
            html.Dl(
                [
                    html.Div([html.Dt(name), html.Dd(value)], className="fact")
                    for name, value in measures(_completed(checkpoint, run))
                ],
                className="file-facts",
            ),
            _proof(checkpoint),
            int8_table(checkpoint.manifest),
            benches(checkpoint),
            file_table(checkpoint),
            loading(checkpoint),
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
    note = f"n = {numbers.integer(here['n'])}"
    if dense and dense != here:
        note += f"; dense {numbers.manifest_accuracy(dense)}"
    return [numbers.manifest_accuracy(here), html.Div(note, className="tile-note")]


def _share(value: int | None, dense: int | None) -> Any:
    if value is None:
        return "–"
    lines: list[Any] = [numbers.compact(value)]
    if dense and dense != value:
        note = f"{numbers.share(value / dense)} of {numbers.compact(dense)}"
        lines.append(html.Div(note, className="tile-note"))
    return lines


def _title(checkpoint: CheckpointOut, best_epoch: int | None) -> Component:
    words = [KINDS.get(checkpoint.kind, checkpoint.kind)]
    ratio = checkpoint.manifest.get("ratio")
    if checkpoint.kind != "trained" and ratio is not None:
        words.append(f"{numbers.fixed_share(ratio, 0)} of the neurons removed")
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
    names = ordered(checkpoint)
    return html.Div(
        [link(checkpoint, name, first=i == 0) for i, name in enumerate(names)],
        className="file-links",
    )


def _proof(checkpoint: CheckpointOut) -> Component | None:
    """That the cut network computes what the masked one does, if it was recorded."""
    sentences = proof_in_words(checkpoint.manifest)
    if not sentences:
        return None
    parts = [html.Span(sentence) for sentence in sentences]
    return html.Div([icon("check"), *parts], className="proof", **attrs(data_testid="proof"))
