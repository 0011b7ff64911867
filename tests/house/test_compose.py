"""docker-compose.yml and Dockerfile agree with the real settings and the real commands."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from typer.main import get_command

from recede.cli import app
from recede.settings import (
    DEFAULT_PORT,
    VARIABLES,
    Settings,
)
from recede.store.database.engine import sqlite_url
from tests.house import files

COMPOSE: dict[str, Any] = yaml.safe_load((files.ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (files.ROOT / "Dockerfile").read_text(encoding="utf-8")
OURS = ("web", "worker", "worker-cpu")


def filled(text: str) -> str:
    """A value as it is when nothing is set: ${NAME:-default} becomes default."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def environment(service: str) -> dict[str, str]:
    """What the service's process sees by default; a bare name is handed through if set."""
    given = SERVICES[service]["environment"]
    return {name: filled(value) for name, value in given.items() if value is not None}


STAGES = {
    stage.split(maxsplit=1)[0]: stage
    for stage in re.split(r"^FROM \S+ AS (?=\w)", DOCKERFILE, flags=re.M)[1:]
}
"""The text of each stage of the Dockerfile, by its name."""


def stage_list(stage: str, instruction: str) -> list[str]:
    found = re.search(rf"^{instruction} (\[.*\])$", STAGES[stage], re.M)
    assert found, f"stage {stage} of the Dockerfile has no {instruction} in its list form"
    return yaml.safe_load(found[1])


def test_services_and_profiles():
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert profiles == {
        "web": [],
        "worker": [],
        "worker-cpu": ["cpu"],
        "postgres": ["postgres"],
    }


def test_gpu_is_reserved_and_can_be_switched_off():
    with_gpu, without = SERVICES["worker"], SERVICES["worker-cpu"]
    (device,) = with_gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert "nvidia" not in str(without)
    switch = {"build", "deploy", "image", "profiles"}
    assert {k: v for k, v in with_gpu.items() if k not in switch} == {
        k: v for k, v in without.items() if k not in switch
    }


def test_each_service_builds_its_target_into_an_image_of_its_own():
    builds = {name: SERVICES[name]["build"] for name in OURS}
    assert {name: build["target"] for name, build in builds.items()} == {
        "web": "web",
        "worker": "worker",
        "worker-cpu": "worker",
    }
    assert {SERVICES[name]["image"] for name in OURS} == {f"recede-{name}" for name in OURS}
    assert "args" not in builds["worker"]  # the index's own build of PyTorch has CUDA
    assert builds["worker-cpu"]["args"] == {"TORCH_BACKEND": "cpu"}
    assert re.search(r"^ARG TORCH_BACKEND=$", STAGES["worker"], re.M)


def test_the_web_image_has_no_packages_of_the_worker():
    extras = {name: re.findall(r"--extra (\S+)", text) for name, text in STAGES.items()}
    assert extras == {
        "wheel": [],
        "base": [],
        "worker": ["worker", "postgres", "timm"],
        "web": ["postgres"],
    }
    assert list(STAGES)[-1] == "web", "the last stage is the default target"


@pytest.mark.parametrize("command", [*(SERVICES[name]["command"] for name in OURS)], ids=OURS)
def test_commands_exist_with_their_options(command):
    program, name, *options = command
    assert program == "recede"
    root = get_command(app)
    # Parsed by the command itself: an option that it does not have raises.
    root.commands[name].make_context(name, options)


@pytest.mark.parametrize("service", OURS)
def test_images_start_their_service_by_default(service):
    target = SERVICES[service]["build"]["target"]
    assert stage_list(target, "CMD") == SERVICES[service]["command"]


@pytest.mark.parametrize("service", OURS)
def test_environment_holds_real_settings(service):
    given = SERVICES[service]["environment"]
    assert given.keys() <= VARIABLES.keys()
    settings = Settings.read({**environment(service), "RECEDE_DATA_ROOTS": ""})
    assert settings.data.as_posix() == "/data"
    assert settings.store_url == sqlite_url(settings.data / "recede.db")


def test_web_and_workers_share_data_and_store():
    shared = ("RECEDE_DATA", "RECEDE_DATA_ROOTS", "RECEDE_STORE_URL")
    for service in OURS:
        assert SERVICES[service]["volumes"] == SERVICES["web"]["volumes"]
        for name in shared:
            assert environment(service)[name] == environment("web")[name]


def test_volumes_are_declared_and_mounted_where_settings_look():
    mounts = [filled(mount).split(":") for mount in SERVICES["web"]["volumes"]]
    targets = {target: source for source, target, *_ in mounts}
    assert targets == {"/data": "data", "/datasets": "datasets"}
    assert environment("web")["RECEDE_DATA"] in targets
    assert environment("web")["RECEDE_DATA_ROOTS"] in targets
    database = SERVICES["postgres"]["volumes"][0].split(":")[0]
    assert set(COMPOSE["volumes"]) == {*targets.values(), database}


def test_port_is_published_on_this_machine_alone():
    (published,) = SERVICES["web"]["ports"]
    address, outside, inside = filled(published).split(":")
    assert (address, int(outside)) == ("127.0.0.1", DEFAULT_PORT)
    assert int(inside) == Settings.read(environment("web") | {"RECEDE_DATA_ROOTS": ""}).port
    assert re.search(rf"^EXPOSE {inside}$", STAGES["web"], re.M)


def test_health_check_asks_the_port_that_the_image_listens_on():
    check = " ".join(stage_list("web", "    CMD"))
    assert f"http://127.0.0.1:{DEFAULT_PORT}/healthz" in check


def test_images_are_not_root_and_own_their_data_folder():
    for stage in ("web", "worker"):
        user = re.search(r"^USER (\w+)$", STAGES[stage], re.M)
        assert user
        assert user[1] != "root"
        assert f"--owner={user[1]}" in STAGES["base"]
    folder = re.search(r"RECEDE_DATA=(\S+)", STAGES["base"])
    assert folder
    assert folder[1] == environment("web")["RECEDE_DATA"]


def test_dockerfile_copies_only_what_is_let_in():
    ignore = (files.ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from=)(.+) \S+$", DOCKERFILE, re.M)
    names = {PurePosixPath(name).as_posix() for line in copied for name in line.split()}
    assert names == let_in
    assert all((files.ROOT / name).exists() for name in names)
    stages = re.findall(r"^COPY --from=(\w+)", DOCKERFILE, re.M)
    assert set(stages) <= set(STAGES)


def test_postgres_has_no_default_password_and_says_when_it_is_ready():
    postgres = SERVICES["postgres"]
    assert environment("postgres")["POSTGRES_PASSWORD"] == ""
    user, name = (postgres["environment"][key] for key in ("POSTGRES_USER", "POSTGRES_DB"))
    assert f"--username={user} --dbname={name}" in postgres["healthcheck"]["test"][1]
    wait = SERVICES["web"]["depends_on"]["postgres"]
    assert wait == {"condition": "service_healthy", "required": False}


def test_worker_waits_for_the_tables():
    for worker in ("worker", "worker-cpu"):
        assert SERVICES[worker]["depends_on"] == {"web": {"condition": "service_healthy"}}
