"""`pip install recede` without extras: the wheel, and what runs where PyTorch is missing."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import httpx
import pytest

from recede.cli.service.extras import INSTALL, WORKER_PACKAGES
from tests.house import files
from tests.installation.environment import Environment, build_wheel, clean_environ
from tests.service import free_port
from tests.worker_process import PATIENCE_S, eventually

THEIRS = 'raise ImportError("this package is not part of Recede")\n'
"""A package of the user's own that has the name of one of our folders."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel beside packages named like our folders, and what the web side requires."""
    made = Environment.create(tmp_path_factory.mktemp("user") / "venv")
    for name in files.FOLDERS:
        (made.site_packages / name).mkdir()
        (made.site_packages / name / "__init__.py").write_text(THEIRS)
    made.link(r for r in requirements(wheel) if "extra ==" not in r)
    made.install(wheel)
    return made


def requirements(wheel: Path) -> list[str]:
    """The lines that an installer reads."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode("utf-8")
    return Parser().parsestr(text).get_all("Requires-Dist", [])


@dataclass(frozen=True)
class WebSide:
    """`recede up` in the environment without PyTorch."""

    url: str
    printed: str


@pytest.fixture(scope="module")
def web_side(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebSide]:
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    url, log = f"http://127.0.0.1:{port}", folder / "up.log"
    options = ["--data", str(folder / "data"), "--port", str(port), "--no-open"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [environment.program("recede"), "up", *options],
            cwd=folder,
            env=clean_environ(),
            stdout=output,
            stderr=output,
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(answers, "the start of the web side")
        yield WebSide(url, log.read_text())
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


COMMANDS = """
import json, sys
from typer.testing import CliRunner
from recede.cli import app

results = [CliRunner().invoke(app, command) for command in json.loads(sys.argv[1])]
print(json.dumps([[result.exit_code, result.output] for result in results]))
"""


@pytest.fixture(scope="module")
def said(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, str]]:
    """Exit code and output of commands in the environment without PyTorch, in one process."""
    folder = tmp_path_factory.mktemp("commands")
    commands = [
        *(["worker"], ["inspect", str(folder)], ["verify", str(folder)], ["doctor"]),
        ["web", "--store", "postgresql://user@localhost/recede"],
    ]
    done = subprocess.run(
        [environment.program("python"), "-c", COMMANDS, json.dumps(commands)],
        cwd=folder,
        env={**clean_environ(), "RECEDE_DATA": str(folder / "data"), "RECEDE_PORT": "9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = [(code, printed) for code, printed in json.loads(done.stdout)]
    return {command[0]: result for command, result in zip(commands, results, strict=True)}


def test_the_wheel_holds_our_packages_whole_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    assert {name.split("/")[0] for name in names} == set(files.HOMES)
    ours = {path.relative_to(path.parts[0]).as_posix() for path in files.under(*files.FOLDERS)}
    assert names == ours
    for needed in ("recede/store/migrations/script.py.mako", "recede/api/static/docs.html"):
        assert needed in names


def test_the_environment_lacks_everything_of_the_worker(environment: Environment):
    script = (
        "import sys; from importlib.util import find_spec;"
        "sys.exit(' '.join(name for name in sys.argv[1:] if find_spec(name)))"
    )
    command = [environment.program("python"), "-c", script, *WORKER_PACKAGES, "timm", "psycopg"]
    done = subprocess.run(command, env=clean_environ(), capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_packages_of_the_user_named_like_our_folders_stay(environment: Environment):
    for name in files.FOLDERS:
        (only,) = (environment.site_packages / name).iterdir()
        assert only.read_text() == THEIRS


def test_up_starts_the_web_side_and_says_how_to_add_a_worker(web_side: WebSide):
    assert web_side.url in web_side.printed
    assert "only the web side is installed" in web_side.printed
    assert f"on this machine: {INSTALL}" in web_side.printed
    assert "recede worker --store URL --data FOLDER" in web_side.printed
    assert "Traceback" not in web_side.printed


def test_the_page_opens_with_its_assets(web_side: WebSide):
    page = httpx.get(f"{web_side.url}/")
    assert page.status_code == 200
    links = set(re.findall(r'(?:src|href)="(/[^"]+\.(?:m?js|css|svg)[^"]*)"', page.text))
    assert any(".js" in link for link in links)
    assert any(".css" in link for link in links)
    answers = {link: httpx.get(f"{web_side.url}{link}").status_code for link in links}
    assert set(answers.values()) == {200}, answers


def test_the_form_has_no_catalog_and_the_reason(web_side: WebSide):
    answer = httpx.get(f"{web_side.url}/api/v1/catalog")
    assert answer.status_code == 503
    assert "No worker has started" in answer.json()["error"]["message"]
    assert httpx.get(f"{web_side.url}/api/v1/workers").json()["items"] == []


@pytest.mark.parametrize("command", ["worker", "inspect", "verify"])
def test_commands_that_need_a_worker_say_what_is_missing(said, command: str):
    code, printed = said[command]
    assert code == 1, printed
    assert f"`recede {command}` needs packages that are not installed" in printed
    assert all(name in printed for name in WORKER_PACKAGES.values())
    assert INSTALL in printed


def test_postgresql_without_its_driver_is_refused_in_words(said):
    code, printed = said["web"]
    assert code == 1, printed
    assert "psycopg is not installed" in printed
    assert "pip install 'recede[postgres]'" in printed


def test_doctor_reports_the_missing_worker(said):
    code, printed = said["doctor"]
    assert code == 0, printed
    assert "this machine cannot train" in printed
    assert INSTALL in printed
