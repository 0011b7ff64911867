"""The registry finds plug-ins by itself: a new one is one new file."""

from __future__ import annotations

import importlib
import sys

import pytest

import recede_worker.methods
from recede_worker.methods.base import Method
from recede_worker.plugins import registry

PLUGIN = """
from recede.contract.spec.catalog import MethodInfo
from recede_worker.methods.base import Method


class Added(Method):
    info = MethodInfo(name="{name}", label="Added", help="For a test.", scale="plain",
                      scope="global")

    def penalty(self, raw_N, params):
        return raw_N.new_zeros(())


PLUGINS = (Added(),)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty package for plug-ins."""
    folder = tmp_path / "added_plugins"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("added_plugins")]:
        del sys.modules[name]


def discover(folder):
    importlib.invalidate_caches()
    return registry.discover(importlib.import_module(folder.name), Method)


@pytest.mark.parametrize(
    "known",
    [registry.methods, registry.architectures, registry.criteria, registry.datasets],
)
def test_plugins_are_found_under_their_own_names(known):
    plugins = known()
    assert plugins
    assert all(plugin.name == name for name, plugin in plugins.items())


def test_an_added_file_is_found(package):
    (package / "first.py").write_text(PLUGIN.format(name="added"))
    assert list(discover(package)) == ["added"]


def test_a_file_added_to_the_real_package_joins_the_catalog(tmp_path, monkeypatch):
    (tmp_path / "added_method.py").write_text(PLUGIN.format(name="added"))
    monkeypatch.setattr(
        recede_worker.methods, "__path__", [*recede_worker.methods.__path__, str(tmp_path)]
    )
    registry.methods.cache_clear()
    importlib.invalidate_caches()
    try:
        assert "added" in registry.methods()
    finally:
        registry.methods.cache_clear()
        sys.modules.pop("recede_worker.methods.added_method", None)


def test_a_module_without_plugins_is_a_helper(package):
    (package / "helper.py").write_text("WORD = 'helper'\n")
    assert discover(package) == {}


def test_two_plugins_of_one_name_are_refused_with_both_files(package):
    for file_name in ("first.py", "second.py"):
        (package / file_name).write_text(PLUGIN.format(name="twin"))
    with pytest.raises(registry.BadPlugin, match=r"second\.py.*'twin'.*first\.py"):
        discover(package)


def test_an_object_of_another_kind_is_refused_with_its_file(package):
    (package / "wrong.py").write_text("PLUGINS = ('a word',)\n")
    with pytest.raises(registry.BadPlugin, match=r"wrong\.py.*'a word'.*not a Method"):
        discover(package)
