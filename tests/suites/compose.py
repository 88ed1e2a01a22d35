"""docker-compose.yml, Dockerfile and .env as Docker would take them, for tests where no Docker is."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
OWN_IMAGE: Final = "peakwatch:"


def make_env(folder: Path) -> dict[str, str]:
    """What `make env` writes, read again."""
    path = folder / ".env"
    subprocess.run([ROOT / "scripts" / "make-env", path], check=True, capture_output=True)
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def interpolated(text: str, env: dict[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?error}` as the Compose specification says, `$$` as `$`."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, kind, rest = match[1], match[2], match[3] or ""
        if env.get(name):
            return env[name]
        if kind == ":?":
            raise KeyError(f"{name}: {rest}")
        assert kind == ":-", f"{match[0]}: not set, and no default"
        return rest

    return re.sub(r"\$\$|\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


def compose(env: dict[str, str]) -> dict[str, Any]:
    """The file with its variables and anchors resolved."""
    found: dict[str, Any] = yaml.safe_load(interpolated(COMPOSE.read_text("utf-8"), env))
    return found


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the last stage: (name, arguments), lines joined, comments gone."""
    stages: list[list[tuple[str, str]]] = []
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, " ".join(rest.split())))
    return stages[-1]


def image_env() -> dict[str, str]:
    """What the image sets."""
    words = [word for name, rest in dockerfile() if name == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


def image_list(instruction: str) -> list[str]:
    """ENTRYPOINT, CMD and the like in their list form; of HEALTHCHECK, its command."""
    rest = next(rest for name, rest in dockerfile() if name == instruction)
    found: list[str] = json.loads(rest[rest.index("[") :])
    return found
