"""`peakwatch demo`."""

import argparse
import signal
import sys
import time
from collections import deque
from typing import Any, Final

from peakwatch.commands.options import positive
from schemas.errors import TransientError

RATE_LOOKS: Final = 6  # the rate is that of the last seconds

EXAMPLES: Final = """examples:
  peakwatch demo
  peakwatch demo --seconds 120

The eve of Double 11 at sixty times its speed: real Chinese reviews and seeded tickets, complaints and orders flow
through a Kafka-protocol broker and a Faust worker into ClickHouse, all on this machine. After 40 seconds parcels get
stuck in one region; after 85 a shop sells what it does not have. Ctrl-C ends it and leaves nothing behind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--seconds", type=positive, metavar="N", help="end after so long, with a summary (default: Ctrl-C)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play until the time is over or somebody ends it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from peakwatch import stores
    from peakwatch.config import load_config
    from peakwatch.demo import wall as walls
    from peakwatch.demo.stage import Tell, ensure_alive, stage

    last: Any = None
    peaks = load_config().peaks
    with stage(tell=Tell()) as on:
        client = stores.clickhouse(on.settings)
        began = time.monotonic()
        try:
            with Screen(on.clock.speed, hints(on.settings)) as show:
                while arguments.seconds is None or time.monotonic() - began < arguments.seconds:
                    ensure_alive(on)
                    try:
                        last = walls.look(client, now_ms=on.clock.now_ms(), sent=on.feeder.sent, before=last)
                    except TransientError as error:
                        raise TransientError(f"the store does not answer: {error}") from None
                    phase = peaks.phase_at(last.now_ms)
                    show(last, phase.label if phase else "")
                    time.sleep(1.0)
        except KeyboardInterrupt:
            pass
        finally:
            client.close()
        print("stopping ...", flush=True)
    if last is not None:
        _summarize(last, time.monotonic() - began)
    return 0


def hints(settings: Any) -> list[str]:
    """How to look inside while it runs."""
    host, port = settings.clickhouse_host, settings.clickhouse_port
    return [
        f"look inside:  clickhouse-client --host {host} --port {port} "
        f"--query 'SELECT status, summary FROM {settings.clickhouse_database}.alerts_v'",
        f"              kcat -b {settings.kafka_bootstrap} -C -t alerts      (any Kafka client)",
        "Ctrl-C ends it and leaves nothing behind",
    ]


class Screen:
    """A live screen on a terminal; plain lines, and every alert's transition once, anywhere else."""

    def __init__(self, speed: float, hints: list[str]) -> None:
        self._speed = speed
        self._hints = hints
        self._live: Any = None
        self._told: set[tuple[str, int, str]] = set()
        self._sent: deque[tuple[float, int]] = deque(maxlen=RATE_LOOKS)
        self._looks = 0

    def __enter__(self) -> "Screen":
        if sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(screen=False, auto_refresh=False, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, wall: Any, phase: str) -> None:
        from peakwatch.demo import screen

        self._sent.append((time.monotonic(), wall.sent))
        (since, before), (now, after) = self._sent[0], self._sent[-1]
        rate = (after - before) / (now - since) if now > since else 0.0
        if self._live is not None:
            drawn = screen.draw(
                wall, speed=self._speed, rate=rate, phase=phase, hints=self._hints, width=self._live.console.width
            )
            self._live.update(drawn, refresh=True)
            return
        if self._looks == 0:
            print("\n".join(self._hints), flush=True)
        if self._looks % 5 == 0:
            print(screen.line(wall), flush=True)
        self._looks += 1
        for alert in wall.transitions:
            key = alert.alert_id, alert.changed_at, alert.status
            if key not in self._told:
                self._told.add(key)
                print("  ALERT " + screen.alert_text(alert), flush=True)


def _summarize(wall: Any, seconds: float) -> None:
    print(
        f"\nIn {seconds:.0f} s: {wall.sent:,} events sent, {wall.reviews:,} reviews stored, "
        f"{wall.windows:,} rolling windows kept up to date."
    )
    for name, count in sorted(wall.tally.items()):
        print(f"  {name:32} {count:>6,}")
