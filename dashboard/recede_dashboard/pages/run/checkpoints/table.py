"""The files of one checkpoint: what each is, its size, its SHA-256, and how it is loaded."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from recede.client import CheckpointOut, FileOut
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.words import numbers

FORMATS = {
    "zip": "ZIP",
    "safetensors": "weights",
    "python": "model.py",
    "pt2": "torch.export",
    "onnx": "ONNX",
    "int8": "ONNX, INT8",
    "proof": "proof images",
    "manifest": "manifest",
}
MEANINGS = {
    "zip": "everything below, with a README and SHA-256 checksums",
    "safetensors": "a plain state_dict",
    "python": "defines the network; needs",
    "pt2": "torch.export program, for any batch size",
    "onnx": "for ONNX Runtime and others, for any batch size",
    "int8": "quantised from the ONNX file: smaller, close to it but not the same",
    "proof": "validation images with the masked network's scores",
    "manifest": "what was removed, measured and compared, as JSON",
}
SHOWN = 12
"""Characters of a SHA-256 in the table; the whole of it is copied."""


def ordered(checkpoint: CheckpointOut) -> list[str]:
    """The formats of a checkpoint, the most wanted first."""
    known = [name for name in FORMATS if name in checkpoint.files]
    return known + [name for name in checkpoint.files if name not in FORMATS]


def file_table(checkpoint: CheckpointOut) -> Component:
    """One row per file."""
    titles = ("File", "For", "Size", "SHA-256")
    head = html.Tr(
        [html.Th(title, scope="col", className="num" * (title == "Size")) for title in titles]
    )
    rows = [_row(checkpoint, name, checkpoint.files[name]) for name in ordered(checkpoint)]
    return html.Div(
        html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table file-table"),
        className="table-scroll",
    )


def link(checkpoint: CheckpointOut, name: str, *, first: bool = False) -> Component:
    """A plain link that streams the file."""
    file = checkpoint.files[name]
    return html.A(
        [icon("down"), FORMATS.get(name, name)],
        href=file.url,
        className="btn btn-primary" if first else "btn",
        title=f"{file.filename}, {numbers.integer(file.size_bytes)} bytes",
        **attrs(download=file.filename, data_testid=f"download-{name}-{checkpoint.kind}"),
    )


def _row(checkpoint: CheckpointOut, name: str, file: FileOut) -> Component:
    is_first = name == ordered(checkpoint)[0]
    return html.Tr(
        [
            html.Td(link(checkpoint, name, first=is_first)),
            html.Td(_meaning(checkpoint, name), className="muted"),
            html.Td(numbers.size(file.size_bytes), className="num"),
            html.Td(
                [
                    html.Code(f"{file.sha256[:SHOWN]}…", className="sha", title=file.sha256),
                    html.Button(
                        "Copy",
                        className="btn btn-small",
                        **attrs(
                            data_copy=file.sha256,
                            aria_label=f"Copy the SHA-256 of {FORMATS.get(name, name)}",
                        ),
                    ),
                ],
                className="sha-cell",
            ),
        ]
    )


def _meaning(checkpoint: CheckpointOut, name: str) -> str:
    if name != "python":
        return MEANINGS.get(name, "")
    needs = checkpoint.manifest.get("needs") or ["torch"]
    only = "only " if len(needs) == 1 else ""
    return f"{MEANINGS[name]} {only}{' and '.join(needs)}"


def loading(checkpoint: CheckpointOut) -> Component:
    """Text to copy: how each format is loaded, and how the proof is repeated."""
    return html.Div(
        [
            _snippet(
                f"snippet-{one.name}-{checkpoint.id}",
                one.label,
                one.code,
                checkpoint.kind != "trained",
            )
            for one in checkpoint.snippets
        ]
    )


def _snippet(target: str, title: str, code: str, is_open: Any) -> Component:
    copy = html.Button("Copy", className="btn btn-small", **attrs(data_copy_from=target))
    return html.Details(
        [
            html.Summary(title),
            html.Div([copy, html.Pre(code, id=target, className="code")], className="snippet"),
        ],
        className="snippets",
        open=is_open,
    )


def proof_in_words(manifest: dict[str, Any]) -> list[str]:
    """What was compared before the files were kept, one sentence each."""
    found = manifest.get("max_difference") or {}
    sentences = {
        "cut_vs_masked": "cut = masked, max |Δ| = {}",
        "cut_vs_masked_float64": "in float64, max |Δ| = {}",
        "file_vs_memory": "file = memory, max |Δ| = {}",
        "pt2_vs_memory": "torch.export = memory, max |Δ| = {}",
        "onnx_vs_memory": "ONNX = memory, max |Δ| = {}",
    }
    lines = [
        words.format(f"{found[name]:.1e}" if found[name] else "0")
        for name, words in sentences.items()
        if found.get(name) is not None
    ]
    if found.get("onnx_same_top1") is not None:
        same = f"{found['onnx_same_top1']} of {numbers.plural(found['images'], 'image')}"
        lines.append(f"ONNX predicts the same class for {same}")
    return lines
