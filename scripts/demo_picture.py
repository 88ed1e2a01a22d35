"""Takes the README's picture: plays the demo, and draws its screen while a spike fires.

    python scripts/demo_picture.py docs/pictures/demo.png

Chromium and a font whose Chinese characters are two Latin ones wide (Noto Sans Mono CJK) are needed.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI

from peakwatch import stores
from peakwatch.commands.demo import hints
from peakwatch.config import load_config
from peakwatch.demo import screen, wall
from peakwatch.demo.stage import Tell, ensure_alive, stage

WIDTH: Final = 118
PATIENCE_S: Final = 240
LOOKS: Final = 12  # at the spike before the picture: by then it has grown
FONT_PX: Final = 16
LINE_PX: Final = 21
MARGIN_PX: Final = 14
PAGE: Final = f"""<!DOCTYPE html><meta charset="UTF-8"><style>{{stylesheet}}
body {{{{ margin: 0; padding: {MARGIN_PX}px; background: #15171c; color: #d8dadf; }}}}
pre {{{{ margin: 0; font: {FONT_PX}px/{LINE_PX}px 'Noto Sans Mono CJK SC', monospace; }}}}
</style><pre><code style="font-family: inherit">{{code}}</code></pre>"""


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
        while time.monotonic() - began < PATIENCE_S:
            ensure_alive(on)
            look = wall.look(client, now_ms=on.clock.now_ms(), sent=on.feeder.sent)
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
        page.write_text(drawn.export_html(theme=MONOKAI, code_format=PAGE), encoding="utf-8")
        subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--hide-scrollbars", f"--screenshot={target.resolve()}",
                f"--window-size={round(WIDTH * FONT_PX / 2) + 2 * MARGIN_PX},{lines * LINE_PX + 2 * MARGIN_PX}",
                page.as_uri(),
            ],
            check=True, capture_output=True,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
