"""Settings: arguments over environment over defaults, and words for what cannot be used."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError
from itertools import pairwise
from pathlib import Path

import pytest

from recede.cli.service.keeper import worker_command
from recede.contract.errors import InvalidInput, StorageProblem
from recede.settings import DEFAULT_PORT, Settings


def test_defaults_are_in_the_persons_data_folder(tmp_path: Path):
    settings = Settings.read({"XDG_DATA_HOME": str(tmp_path)})
    assert settings.data == tmp_path / "recede"
    assert (settings.host, settings.port) == ("127.0.0.1", DEFAULT_PORT)
    assert settings.store_url == f"sqlite:///{tmp_path}/recede/recede.db"
    assert settings.artifacts == settings.data / "artifacts"
    assert settings.datasets == settings.data / "datasets"


@pytest.mark.parametrize("environ", [{}, {"RECEDE_PORT": "9000"}])
def test_a_bad_port_is_named_as_it_was_given(environ: dict[str, str]):
    with pytest.raises(InvalidInput, match="--port was 0") as caught:
        Settings.read(environ, port=0)
    assert caught.value.field == "port"
    with pytest.raises(InvalidInput, match="RECEDE_PORT was"):  # the option takes it from there
        Settings.read({"RECEDE_PORT": "0"}, port=0)


def test_arguments_win_over_the_environment(tmp_path: Path):
    environ = {"RECEDE_DATA": "/else", "RECEDE_HOST": "0.0.0.0", "RECEDE_PORT": "9000"}
    settings = Settings.read(environ, data=tmp_path, host="::1", port=9001)
    assert (settings.data, settings.host, settings.port) == (tmp_path, "::1", 9001)


def test_the_environment_wins_over_defaults(tmp_path: Path):
    settings = Settings.read(
        {
            "RECEDE_DATA": str(tmp_path),
            "RECEDE_STORE_URL": "postgresql://db/recede",
            "RECEDE_PORT": "9000",
            "RECEDE_THREADS": "3",
            "RECEDE_ALLOWED_HOSTS": "Recede.lan, web ,",
            "RECEDE_DATA_ROOTS": os.pathsep.join([str(tmp_path), ""]),
        }
    )
    assert settings.store_url == "postgresql://db/recede"
    assert (settings.port, settings.threads) == (9000, 3)
    assert settings.allowed_hosts == ("recede.lan", "web")
    assert settings.data_roots == (tmp_path,)


def test_files_of_networks_reach_the_worker(tmp_path: Path):
    files = [str(tmp_path / "a.py"), str(tmp_path / "gone.py")]
    settings = Settings.read({"RECEDE_NETWORKS": os.pathsep.join(files)}, data=tmp_path)
    command = worker_command(settings)
    given = [after for before, after in pairwise(command) if before == "--networks"]
    assert given == files


def test_how_long_a_process_is_kept_reaches_the_worker(tmp_path: Path):
    settings = Settings.read({"RECEDE_KEEP_S": "0"}, data=tmp_path)
    assert worker_command(settings)[-2:] == ["--keep", "0"]
    assert "--keep" not in worker_command(Settings.read({}, data=tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("RECEDE_PORT", "http", "1 to 65535"),
        ("RECEDE_PORT", "0", "1 to 65535"),
        ("RECEDE_PORT", "65536", "1 to 65535"),
        ("RECEDE_THREADS", "many", "whole number"),
        ("RECEDE_THREADS", "0", "1 to 1024"),
        ("RECEDE_KEEP_S", "long", "0 to 86400"),
        ("RECEDE_KEEP_S", "-1", "0 to 86400"),
        ("RECEDE_DATA_ROOTS", "/nowhere/at/all", "exists and can be read"),
    ],
)
def test_a_bad_value_names_key_value_and_wanted(key: str, value: str, wanted: str):
    with pytest.raises(InvalidInput) as caught:
        Settings.read({key: value})
    assert caught.value.field == key
    assert key in caught.value.message
    assert repr(value) in caught.value.message
    assert wanted in caught.value.message


def test_the_data_folder_is_made_when_it_is_prepared(tmp_path: Path):
    settings = Settings.read({}, data=tmp_path / "a" / "b")
    assert not settings.data.exists()
    settings.prepare()
    settings.prepare()
    assert settings.artifacts.is_dir()
    assert settings.datasets.is_dir()


def test_a_data_folder_that_is_a_file_says_what_to_do(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageProblem, match="cannot be used") as caught:
        Settings.read({}, data=tmp_path / "file").prepare()
    assert "--data" in str(caught.value.hint)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_data_folder_that_may_not_be_written_says_what_to_do(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageProblem, match="Permission denied"):
            Settings.read({}, data=tmp_path / "x").prepare()
    finally:
        tmp_path.chmod(0o700)


def test_settings_do_not_change(tmp_path: Path):
    settings = Settings.read({}, data=tmp_path)
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]
