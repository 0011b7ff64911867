"""Written networks: what the text does, and what happens where none can be written."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from recede_worker.engine.verification.safe_source import why_not
from recede_worker.source.parts import read
from recede_worker.source.write import NotPlain, plain_source
from tests.torch_state import one_seed, one_thread

__all__ = ["one_seed", "one_thread"]
SHAPE = (3, 12, 12)


class Block(nn.Module):
    """A shortcut, a parameter of its own and a constant that no state_dict holds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=1e-3)
        self.scale = nn.Parameter(torch.ones(width, 1, 1))
        self.register_buffer("kernel", torch.full((width, 1, 2, 2), 0.25), persistent=False)

    def forward(self, x: Tensor, gain: float = 2.0, extra: Tensor | None = None) -> Tensor:
        out = functional.relu(self.norm(self.conv(x)), inplace=True)
        if extra is not None:
            out = out + extra
        out = out * self.scale * gain
        out += x
        return functional.conv2d(out, self.kernel, groups=out.shape[1])


class Joined(nn.Module):
    """Takes a list, as dense networks do."""

    def forward(self, parts: list[Tensor]) -> Tensor:
        if isinstance(parts, Tensor):
            return parts
        return torch.cat([part.mean((2, 3)) for part in parts], 1)


class Whole(nn.Module):
    """Blocks in a list, names that are numbers, a module that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.blocks = nn.ModuleList([Block(4), Block(4)])
        self.join = Joined()
        self.spare = nn.Linear(2, 2)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        first = self.blocks[0](self.stem(x))
        return self.head(self.join([first, self.blocks[1](first)]))


class Sized(nn.Module):
    """Looks at the size of its images, which cannot be traced for all sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        steps = 2 if x.shape[-1] > 8 else 1
        for _ in range(steps):
            x = functional.pad(x, (0, int(x.shape[-1]) % 5, 0, 0))
        return self.head(self.conv(x).mean((2, 3)))


class Counting(nn.Module):
    """Answers otherwise each time that it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 5)
        self.asked = 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += 1
        return self.head(x.mean((2, 3))) * self.asked


def built(text: str) -> nn.Module:
    namespace: dict = {"__name__": "model"}
    exec(compile(text, "model.py", "exec"), namespace)  # our own text
    made: nn.Module = namespace["build"]()
    return made.eval()


@pytest.mark.parametrize("kind", [Whole, Sized])
def test_the_text_computes_the_same_and_has_the_same_names(kind):
    model = kind().eval()
    written = plain_source(kind(), SHAPE, "x: a network.")
    made = built(written.text)
    assert list(made.state_dict()) == list(model.state_dict())
    made.load_state_dict(model.state_dict())
    for n in (1, 2, 5):
        images = torch.randn(n, *SHAPE)
        with torch.no_grad():
            torch.testing.assert_close(made(images), model(images))
    assert written.fixed_size == (kind is Sized)
    assert ("12 × 12 pixels" in written.text) == written.fixed_size
    assert why_not(written.text) is None


def test_layers_are_constructed_with_their_arguments():
    text = plain_source(Whole(), SHAPE, "x: a network.").text
    assert "conv=nn.Conv2d(4, 4, 3, padding=1, bias=False)" in text
    assert "norm=nn.BatchNorm2d(4, eps=0.001)" in text
    assert text.count("class Block(Parts)") == 1
    assert "tests" not in text


def test_what_cannot_be_written_is_said():
    with pytest.raises(NotPlain):
        plain_source(Counting(), SHAPE, "x: a network.")


def test_weights_are_read_without_the_safetensors_package(tmp_path):
    kinds = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool)
    tensors = {str(kind): torch.ones(2, 3).to(kind) for kind in kinds}
    tensors |= {"scalar": torch.tensor(7), "empty": torch.zeros(0, 4)}
    save_file(tensors, tmp_path / "x.safetensors", metadata={"a": "b"})
    found = read(str(tmp_path / "x.safetensors"))
    assert set(found) == set(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
