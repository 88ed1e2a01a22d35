"""`peakwatch demo`."""

import argparse
import signal
import sys
import time
from typing import Any, Final

from schemas.errors import TransientError

EXAMPLES: Final = """examples:
  peakwatch demo
  peakwatch demo --seconds 120

The eve of Double 11 at sixty times its speed: real Chinese reviews, seeded tickets, complaints and orders flow through
a Kafka-protocol broker and a Faust worker into ClickHouse. After some 40 seconds parcels get stuck in one region.
Ctrl-C ends it and leaves nothing behind."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--seconds", type=float, metavar="N", help="end after so long, with a summary (default: Ctrl-C)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play until the time is over or somebody ends it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from peakwatch import stores
    from peakwatch.demo import wall as walls
    from peakwatch.demo.stage import Tell, ensure_alive, stage

    last: Any = None
    with stage(tell=Tell()) as on:
        client = stores.clickhouse(on.settings)
        hints = _hints(on.settings)
        began = time.monotonic()
        try:
            with Screen() as show:
                while arguments.seconds is None or time.monotonic() - began < arguments.seconds:
                    ensure_alive(on)
                    try:
                        last = walls.look(client, now_ms=on.clock.now_ms(), sent=on.feeder.sent)
                    except TransientError as error:
                        raise TransientError(f"the store does not answer: {error}") from None
                    show(last, on.clock.speed, hints)
                    time.sleep(1.0)
        except KeyboardInterrupt:
            pass
        finally:
            client.close()
        print("stopping ...", flush=True)
    if last is not None:
        _summarize(last, time.monotonic() - began)
    return 0


def _hints(settings: Any) -> list[str]:
    host, port = settings.clickhouse_host, settings.clickhouse_port
    return [
        f"look inside:  clickhouse-client --host {host} --port {port} "
        f"--query 'SELECT * FROM {settings.clickhouse_database}.alerts_v FORMAT Vertical'",
        f"              kcat -b {settings.kafka_bootstrap} -C -t alerts      (any Kafka client)",
        "Ctrl-C ends it and leaves nothing behind",
    ]


class Screen:
    """A live screen on a terminal; plain lines, and every alert once, anywhere else."""

    def __init__(self) -> None:
        self._live: Any = None
        self._told: dict[str, str] = {}
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

    def __call__(self, wall: Any, speed: float, hints: list[str]) -> None:
        from peakwatch.demo import wall as walls

        if self._live is not None:
            self._live.update(walls.draw(wall, speed=speed, hints=hints), refresh=True)
            return
        if self._looks == 0:
            print("\n".join(hints), flush=True)
        if self._looks % 5 == 0:
            print(walls.line(wall), flush=True)
        self._looks += 1
        for alert in reversed(wall.alerts):
            key = f"{alert['first']} {alert['kind']}"
            if self._told.get(key) != alert["status"]:
                self._told[key] = alert["status"]
                print("  ALERT " + walls.alert_text(alert), flush=True)


def _summarize(wall: Any, seconds: float) -> None:
    print(
        f"\nIn {seconds:.0f} s: {wall.sent:,} events sent, {wall.reviews:,} reviews, {wall.windows:,} windows stored."
    )
    for name, count in sorted(wall.tally.items()):
        print(f"  {name:32} {count:>6,}")
