"""`python -m grafana.build`: writes `grafana/dashboards/<language>/<name>.json`, the same bytes each time.

Needs `grafana-foundation-sdk`; what was built does not.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from grafana.board import Board
from grafana.boards import alerts, complaints, pipeline, promo, sentiment, service, wall
from grafana.text import LANGUAGES, Language

DIRECTORY: Final = Path(__file__).parent / "dashboards"
BOARDS: Final[tuple[Callable[[Language], Board], ...]] = (
    wall.board,
    wall.board_4k,
    sentiment.board,
    service.board,
    complaints.board,
    alerts.board,
    promo.board,
    pipeline.board,
)


def boards() -> Iterator[Board]:
    """Every dashboard in every language."""
    for language in LANGUAGES:
        for make in BOARDS:
            yield make(language)


def path_of(board: Board) -> Path:
    """Where it is written, in the built folder."""
    return Path(board.language) / f"{board.name}.json"


def render(board: Board) -> str:
    """A dashboard's file."""
    return json.dumps(board.to_json(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write all of them; tell which changed."""
    for board in boards():
        path = DIRECTORY / path_of(board)
        text = render(board)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != before:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(DIRECTORY.parent.parent)}")


if __name__ == "__main__":
    main()
