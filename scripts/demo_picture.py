"""Takes the README's picture: plays the demo, and draws its screen while a spike fires.

    python scripts/demo_picture.py docs/pictures/demo.png

Chromium and the fonts Noto Sans Mono and Noto Sans CJK are needed.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from peakwatch import stores
from peakwatch.commands.demo import hints
from peakwatch.config import load_config
from peakwatch.demo import screen, wall
from peakwatch.demo.stage import Tell, ensure_alive, stage

WIDTH: Final = 118
PATIENCE_S: Final = 240
LOOKS: Final = 5  # at the spike before the picture: by then it has grown
CELL_PX: Final = 8
LINE_PX: Final = 19
MARGIN_PX: Final = 14
THEME: Final = TerminalTheme(
    (21, 23, 28),
    (216, 218, 223),
    [
        (21, 23, 28),
        (229, 83, 75),
        (87, 171, 90),
        (218, 165, 60),
        (65, 132, 228),
        (188, 140, 230),
        (57, 186, 200),
        (216, 218, 223),
    ],
)
# Browsers do not keep a terminal's cells: each character outside of ASCII gets a box as wide as its cells.
PAGE: Final = f"""<!DOCTYPE html><meta charset="UTF-8"><style>{{stylesheet}}
body {{{{ margin: 0; padding: {MARGIN_PX}px; background: #15171c; color: #d8dadf; }}}}
pre {{{{ margin: 0; font: {CELL_PX / 0.6:.2f}px/{LINE_PX}px 'Noto Sans Mono'; }}}}
code {{{{ font: inherit; }}}}
i {{{{ display: inline-block; font-style: inherit; width: {CELL_PX}px; height: {LINE_PX}px; vertical-align: top; }}}}
i.w {{{{ width: {2 * CELL_PX}px; font-size: {2 * CELL_PX}px; font-family: 'Noto Sans CJK SC'; }}}}
</style><pre><code>{{code}}</code></pre>"""


def main(target: Path) -> int:
    """The exit status: 1 when no spike fired in time, or no Chromium is there."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed", file=sys.stderr)
        return 1
    drawn = _while_firing()
    if drawn is None:
        print(f"no spike fired within {PATIENCE_S} s", file=sys.stderr)
        return 1
    _take(chromium, drawn, target)
    print(f"{target} written")
    return 0


def _while_firing() -> Console | None:
    peaks = load_config().peaks
    with stage(tell=Tell()) as on:
        client = stores.clickhouse(on.settings)
        began, sent, seen = time.monotonic(), 0, 0
        look: wall.Wall | None = None
        while time.monotonic() - began < PATIENCE_S:
            ensure_alive(on)
            look = wall.look(client, now_ms=on.clock.now_ms(), sent=on.feeder.sent, before=look)
            rate, sent = look.sent - sent, look.sent
            seen += any(alert.kind == "negative_spike" and alert.is_open for alert in look.alerts)
            if seen >= LOOKS:
                phase = peaks.phase_at(look.now_ms)
                console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
                console.print(
                    screen.draw(
                        look, speed=on.clock.speed, rate=rate, phase=phase.label if phase else "",
                        hints=hints(on.settings), width=WIDTH,
                    )
                )  # fmt: skip
                return console
            time.sleep(1)
    return None


def _take(chromium: str, drawn: Console, target: Path) -> None:
    lines = len(drawn.export_text(clear=False).splitlines())
    with tempfile.TemporaryDirectory() as directory:
        page = Path(directory, "demo.html")
        page.write_text(_boxed(drawn.export_html(theme=THEME, code_format=PAGE)), encoding="utf-8")
        subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--hide-scrollbars", f"--screenshot={target.resolve()}",
                f"--window-size={WIDTH * CELL_PX + 2 * MARGIN_PX},{lines * LINE_PX + 2 * MARGIN_PX}",
                page.as_uri(),
            ],
            check=True, capture_output=True,
        )  # fmt: skip


def _boxed(html: str) -> str:
    head, body = html.split("<code>")
    return head + "<code>" + re.sub(r"[^\x00-\x7f]", _box, body)


def _box(found: re.Match[str]) -> str:
    return f"<i class=w>{found[0]}</i>" if cell_len(found[0]) == 2 else f"<i>{found[0]}</i>"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
