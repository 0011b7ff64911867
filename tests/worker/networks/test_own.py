"""The user's own networks: files and entry points, and what is wrong with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import Catalog
from recede_worker.engine.job.settings import files_of
from recede_worker.networks.own import own_networks

CODE = '''
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, classes)

    def forward(self, images):
        return self.head(self.first(images).mean((2, 3)))


def small(in_channels, classes, image_size):
    """Eight channels."""
    return Small(in_channels, classes)


def other_head(in_channels, classes, image_size):
    return Small(in_channels, classes + 1)


def broken(in_channels, classes, image_size):
    raise ValueError("the width is missing")


NETWORKS = {"small": small, "other-head": other_head, "broken": broken, "number": lambda *_: 3}
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for files of networks; what was imported from it is forgotten."""
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_gives_networks_that_are_traced_cut_and_handed_out(folder):
    file = written(folder, "user_nets.py", CODE)
    found, problems = own_networks([file], [])
    assert not problems
    assert list(found) == ["small", "other-head", "broken", "number"]
    network = found["small"]
    assert network.info.help.startswith("Eight channels.")
    config = network.config(1, 5, 28, {})
    assert config["norms"] == {"first.0": "first.1"}
    cut = network.cut_config(config, {"first.0": 3})
    source = network.source(cut)
    assert "user_nets" not in source  # it stands alone
    namespace: dict = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)  # the text is our own
    rebuilt = namespace["build"]()
    assert rebuilt.first[0].out_channels == 3
    assert rebuilt(torch.zeros(2, 1, 28, 28)).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("other-head", r"other-head cannot be used\. The head does not fit: .* \(1, 5\) is need"),
        ("broken", "broken could not be built .*: ValueError: the width is missing"),
        ("number", r"number was built as int; a torch\.nn\.Module"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_by_name_and_cause(folder, name, words):
    found, _ = own_networks([written(folder, "user_nets.py", CODE)], [])
    with pytest.raises(InvalidInput, match=words) as caught:
        found[name].config(3, 5, 28, {})
    assert caught.value.field == "architecture"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "failing_nets.py",
            "x = 1\nimport nowhere_at_all\n",
            r"ModuleNotFound.*\(line 2\)",
        ),
        ("leaving_nets.py", "raise SystemExit(3)\n", "SystemExit: 3"),
        ("garbled_nets.py", "def f(:\n", "SyntaxError"),
        ("empty_nets.py", "", "it has no NETWORKS: a dict of name"),
        ("list_nets.py", "NETWORKS = [1]\n", "it has no NETWORKS: a dict of name"),
        ("upper_nets.py", "NETWORKS = {'Mein Netz': print}\n", "'Mein Netz' is not a valid name"),
        ("value_nets.py", "NETWORKS = {'net': 3}\n", "'net' is a int, not a function"),
        ("string.py", CODE, "'string' cannot be the name of a module here"),
        ("two words.py", CODE, "'two words' cannot be the name of a module here"),
        ("user_nets.txt", CODE, r"its name must end in \.py"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_others_alone(folder, name, text, words):
    wrong, right = written(folder, name, text), written(folder, "good_nets.py", CODE)
    found, problems = own_networks([wrong, right, folder / "gone_nets.py"], [])
    assert "small" in found
    assert [str(wrong) in problems[0].message, len(problems)] == [True, 2]
    with pytest.raises(type(problems[0]), match=words):
        raise problems[0]
    assert "there is no such file" in problems[1].message


def test_a_name_that_is_taken_is_left_to_its_owner(folder):
    first = written(folder, "one_net.py", CODE)
    second = written(folder, "two_net.py", "NETWORKS = {'small': print, 'vgg11': print}\n")
    found, problems = own_networks([first, second], ["vgg11"])
    assert found["small"].home.imports == "from one_net import NETWORKS"
    assert [p.message for p in problems] == [
        f"{second}: the name 'small' is already taken.",
        f"{second}: the name 'vgg11' is already taken.",
    ]


def test_an_entry_point_of_an_installed_package_is_found(folder, monkeypatch):
    written(folder, "user_package.py", CODE)
    info = folder / "user_package-1.0.dist-info"
    info.mkdir()
    written(info, "METADATA", "Metadata-Version: 2.1\nName: user-package\nVersion: 1.0\n")
    points = "[recede.networks]\nmine = user_package:small\nbad = user_package:nothing\n"
    written(info, "entry_points.txt", points)
    monkeypatch.syspath_prepend(folder)
    found, problems = own_networks([], [])
    source = found["mine"].source(found["mine"].config(3, 4, 16, {}))
    namespace: dict = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)  # the text is our own
    assert namespace["build"]()(torch.zeros(2, 3, 16, 16)).shape == (2, 4)
    assert [p.message.partition(":")[0] for p in problems] == ["entry point bad = user_package"]


def test_paths_are_separated_as_in_path(tmp_path):
    assert files_of("") == []
    assert files_of(f"{tmp_path}/a.py:{tmp_path}/b.py:") == [tmp_path / "a.py", tmp_path / "b.py"]


def test_a_worker_offers_them_and_says_what_it_could_not_use(folder):
    right, wrong = written(folder, "user_nets.py", CODE), folder / "gone.py"
    command = [sys.executable, "-m", "recede_worker", "--probe"]
    done = subprocess.run(
        [*command, "--networks", str(right), "--networks", str(wrong)],
        capture_output=True,
        text=True,
        check=True,
    )
    catalog = Catalog.model_validate_json(done.stdout)
    assert catalog.architecture("small").label == "small"
    assert catalog.problems == (f"{wrong}: there is no such file",)
