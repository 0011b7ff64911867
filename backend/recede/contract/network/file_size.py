"""Size of the downloaded weights, to the byte: a safetensors file of the folded state_dict.

The format: 8 bytes with the length of a JSON header, the header, padded with spaces to a
multiple of 8 bytes, then the tensors without gaps. Tensors lie by type (the 8-byte counters of
batch norms first), then by name; the header gives type, shape and place of each.
"""

from __future__ import annotations

from collections.abc import Sequence

from recede.contract.network.shape import NetworkShape, StoredTensor

BYTES = {"F32": 4, "I64": 8}


def file_bytes(shape: NetworkShape, kept: Sequence[int]) -> int | None:
    """Bytes of `model.safetensors` with `kept[i]` channels left in group i.

    None for a network that was recorded without what its file holds (`shape.tensors`).
    """
    if not shape.tensors:
        return None
    header, end = len("{}") + len(shape.tensors) - 1, 0
    for tensor in sorted(shape.tensors, key=_place):
        dims = _left(tensor, shape, kept)
        start, end = end, end + BYTES[tensor.dtype] * _product(dims)
        header += len(_entry(tensor, dims, start, end))
    return 8 + -(-header // 8) * 8 + end


def _place(tensor: StoredTensor) -> tuple[int, bytes]:
    return -BYTES[tensor.dtype], tensor.name.encode()


def _left(tensor: StoredTensor, shape: NetworkShape, kept: Sequence[int]) -> list[int]:
    """Its dimensions after the cut."""
    dims = list(tensor.shape)
    for dim, group, slices in tensor.links:
        dims[dim] -= slices * (shape.groups[group].size - kept[group])
    return dims


def _product(dims: Sequence[int]) -> int:
    product = 1
    for dim in dims:
        product *= dim
    return product


def _entry(tensor: StoredTensor, dims: Sequence[int], start: int, end: int) -> str:
    """One entry of the header, as it is written; names are module paths, which need no escape."""
    numbers = ",".join(map(str, dims))
    return (
        f'"{tensor.name}":{{"dtype":"{tensor.dtype}","shape":[{numbers}],'
        f'"data_offsets":[{start},{end}]}}'
    )
