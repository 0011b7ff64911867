"""up, web, worker, doctor and upgrade: ports, folders, the kept worker, a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from recede.cli import app as command
from recede.cli.service import commands, doctor, extras
from recede.cli.service.extras import INSTALL, how_to_add_a_worker
from recede.cli.service.keeper import TAKEN, WorkerKeeper, worker_command
from recede.cli.service.server import listen
from recede.contract.errors import InvalidInput
from recede.settings import Settings, url_of
from tests.backend.catalog import CATALOG
from tests.service import free_port


def test_upgrade_and_version(tmp_path: Path):
    runner = CliRunner(env={"RECEDE_DATA": str(tmp_path / "d")})
    assert "from schema none to" in runner.invoke(command, ["upgrade"]).stdout
    assert "already" in runner.invoke(command, ["upgrade"]).stdout
    assert runner.invoke(command, ["version"]).stdout.startswith("recede ")


def test_a_store_on_the_command_line_goes_before_the_environment(tmp_path: Path):
    runner = CliRunner(env={"RECEDE_DATA": str(tmp_path), "RECEDE_STORE_URL": "mysql://nowhere"})
    given = f"sqlite:///{tmp_path / 'given.db'}"
    assert runner.invoke(command, ["upgrade", "--store", given]).exit_code == 0
    assert (tmp_path / "given.db").exists()
    port = str(free_port())
    refused = runner.invoke(command, ["web", "--store", "nonsense", "--port", port])
    assert refused.exit_code == 2
    assert "'nonsense'" in refused.stderr


def test_a_worker_starts_on_the_store_that_is_given(tmp_path: Path, monkeypatch):
    started = []
    monkeypatch.setattr(commands.os, "execve", lambda *arguments: started.append(arguments))
    options = ["--data", str(tmp_path), "--store", "postgresql+psycopg://user:secret@host/recede"]
    result = CliRunner().invoke(command, ["worker", *options])
    assert result.exit_code == 0, result.output
    ((_, arguments, environment),) = started
    assert environment["RECEDE_STORE_URL"] == options[-1]
    assert "secret" not in " ".join(arguments)
    assert arguments[arguments.index("--artifacts") + 1] == str(tmp_path / "artifacts")


def test_a_worker_without_its_packages_names_them_and_the_way_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "WORKER_PACKAGES", {"no_such_module": "no-such-package"})
    result = CliRunner().invoke(command, ["worker", "--data", str(tmp_path / "d")])
    assert result.exit_code == 1
    assert "no-such-package" in result.stderr
    assert INSTALL in result.stderr
    assert not (tmp_path / "d").exists()


def test_another_machine_needs_postgresql_which_is_said_where_sqlite_is_used():
    assert "PostgreSQL" in how_to_add_a_worker("sqlite:////data/recede.db")
    shared = how_to_add_a_worker("postgresql+psycopg://user:secret@host/recede")
    assert "the database of this service" in shared
    assert "secret" not in shared


def test_a_data_folder_that_cannot_be_used_ends_with_1_and_advice(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for name in ("up", "web", "worker", "upgrade"):
        result = CliRunner().invoke(command, [name, "--data", str(tmp_path / "file")])
        assert result.exit_code == 1
        assert "--data" in result.stderr


def test_a_port_in_use_names_it_and_another(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(
            command, ["up", "--no-open", "--data", str(tmp_path), "--port", str(port)]
        )
    assert result.exit_code == 2
    assert f"Port {port} is in use" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_ends_with_2(tmp_path: Path, port: str):
    result = CliRunner().invoke(command, ["web", "--data", str(tmp_path), "--port", port])
    assert result.exit_code == 2
    assert "port" in result.stderr.lower()


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(InvalidInput, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 8400)


def test_addresses_to_open():
    assert url_of("0.0.0.0", 1) == "http://127.0.0.1:1"
    assert url_of("::1", 2) == "http://[::1]:2"


def test_the_worker_gets_store_folders_and_threads(tmp_path: Path):
    settings = Settings.read(
        {"RECEDE_THREADS": "2", "RECEDE_DATA_ROOTS": str(tmp_path)}, data=tmp_path / "d"
    )
    command_line = worker_command(settings)
    assert command_line[1:3] == ["-m", "recede_worker"]
    roots = [command_line[i + 1] for i, p in enumerate(command_line) if p == "--data-root"]
    assert roots == [str(settings.datasets), str(tmp_path)]
    assert command_line[-2:] == ["--threads", "2"]


def keep(script: str, until: int) -> list[str]:
    """Keep a process until something was said `until` times; what was said."""
    said: list[str] = []
    keeper: WorkerKeeper

    def say(text: str) -> None:
        said.append(text)
        if len(said) == until:
            keeper._stopping.set()

    keeper = WorkerKeeper([sys.executable, "-c", script], say, first_pause_s=0)
    keeper.run()
    return said


def test_a_worker_that_dies_is_started_again_and_that_is_said():
    said = keep("import sys; sys.exit(7)", until=3)
    assert len(said) == 3
    assert all("with code 7" in text for text in said)


def test_a_worker_that_finds_another_waits_and_says_so_once(tmp_path: Path):
    counter = tmp_path / "n"
    script = (
        "import pathlib, sys;"
        f"f = pathlib.Path({str(counter)!r}); n = len(f.read_text()) if f.exists() else 0;"
        f"f.write_text('x' * (n + 1)); sys.exit({TAKEN} if n < 3 else 9)"
    )
    said = keep(script, until=2)
    assert "Another worker" in said[0]
    assert "with code 9" in said[1]


def test_a_kept_worker_is_stopped_in_order(tmp_path: Path):
    ready, stopped = tmp_path / "ready", tmp_path / "stopped"
    os.mkfifo(ready)
    script = f"""
import pathlib, signal, sys
def stop(*_):
    pathlib.Path({str(stopped)!r}).touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path({str(ready)!r}).write_text("x")
signal.pause()
"""
    keeper = WorkerKeeper([sys.executable, "-c", script], print)
    keeper.start()
    assert not WorkerKeeper(["none"], print).runs()
    ready.read_text()  # returns when the process has its handler
    assert keeper.runs()
    keeper.stop()
    assert not keeper.runs()
    keeper.join(10)
    assert stopped.exists()
    assert not keeper.is_alive()


STUB = """
import sys, types
stub = types.ModuleType("recede_dashboard.app")
stub.mount = lambda app, client, *, version: ["sha256-stub="]
sys.modules["recede_dashboard.app"] = stub
from recede.cli import main
main()
"""


def test_web_serves_and_ends_at_once_with_open_streams(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", STUB, "web", "--data", str(tmp_path / "d"), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "120"},
    )
    try:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(6))
        url = f"http://127.0.0.1:{port}"
        assert url in printed
        assert str(tmp_path / "d") in printed
        health = httpx.get(f"{url}/healthz")
        assert health.json()["workers_alive"] == 0
        assert "'sha256-stub='" in health.headers["content-security-policy"]
        with httpx.stream("GET", f"{url}/api/v1/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 1000"
            process.send_signal(signal.SIGTERM)
            assert [line for line in lines if line.startswith("data")] == []
        assert process.wait(30) == 0
    finally:
        process.kill()
        _, stderr = process.communicate()
    assert "Traceback" not in stderr


def test_the_command_line_needs_neither_torch_nor_the_worker():
    script = (
        "import sys; sys.modules['torch'] = None; sys.modules['recede_worker'] = None;"
        "import recede.cli, recede.api.app; assert 'dash' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_doctor_names_what_is_broken(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(doctor, "_probe", lambda _settings: CATALOG)
    runner = CliRunner(env={"COLUMNS": "200", "RECEDE_PORT": "9"})
    good = runner.invoke(command, ["doctor", "--data", str(tmp_path / "d")])
    assert good.exit_code == 0, good.output
    for word in ("recede", "torch", "data folder", "free", "digits", "put them into", "processor"):
        assert word in good.stdout
    (tmp_path / "file").write_text("x")
    bad = runner.invoke(command, ["doctor", "--data", str(tmp_path / "file")])
    assert bad.exit_code == 1
    assert "broken" in bad.stdout
    assert "--data" in bad.stdout
