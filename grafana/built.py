"""The built dashboards as they lie on disk: for whoever pushes them, without the SDK that built them."""

import json
from pathlib import Path
from typing import Any, Final

from grafana.text import LANGUAGES
from schemas.errors import PermanentError

DIRECTORY: Final = Path(__file__).parent / "dashboards"


def load(language: str, directory: Path = DIRECTORY) -> list[dict[str, Any]]:
    """The dashboards of one language, or of `all`, by file name. PermanentError where there are none."""
    folders = [directory / one for one in LANGUAGES if language in (one, "all")]
    found: list[dict[str, Any]] = []
    try:
        for folder in folders:
            found += [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    except (OSError, ValueError) as error:
        raise PermanentError(f"{directory}: {error}") from None
    if not found:
        raise PermanentError(f"{directory}: no dashboards: build them with `python -m grafana.build`")
    return found
