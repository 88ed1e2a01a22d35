"""A worker that settles nothing until it has seen all records, then settles so far as it is told, and ends.

Tells in its last line of output from which offset it began, how many chunks waited, and how much it grew meanwhile.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
from typing import Any

import faust
from faust.types import TP

from agents.transport import driver
from agents.transport.chunks import Chunk, ChunkSchema


def build(args: argparse.Namespace) -> faust.App:
    """The app."""
    driver.register()
    app = faust.App(
        args.group,
        broker=driver.broker_url(args.bootstrap),
        web_enabled=False,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_commit_interval=0.2,
        broker_commit_livelock_soft_timeout=1.0,  # Faust would complain after so long
        datadir=args.datadir,
        **driver.APP_SETTINGS,
    )
    topic = app.topic(args.source, schema=ChunkSchema(args.chunk), maxsize=16)
    tp: Any = TP(args.source, 0)

    @app.agent(topic)
    async def hold(stream: Any) -> None:
        began, chunks, early_mb = None, 0, 0
        async for event in stream.noack().events():
            chunk: Chunk = event.value
            chunks += 1
            began = chunk.first if began is None else began
            if chunks == 400:
                early_mb = peak_mb()
            if chunk.end < args.records:
                continue
            line = {"began": began, "chunks": chunks, "grew_mb": peak_mb() - early_mb}
            await asyncio.sleep(2.5)  # long enough for Faust's search for stuck partitions
            driver.consumer_of(app).settle(tp, args.settle)
            os.write(1, f"\n{json.dumps(line)}\n".encode())
            os.kill(os.getpid(), signal.SIGTERM)

    return app


def peak_mb() -> int:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Run until all was seen."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "group", "source", "datadir"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("records", "chunk", "settle"):
        parser.add_argument(f"--{name}", required=True, type=int)
    args = parser.parse_args()
    sys.argv = [sys.argv[0], "worker"]
    faust.Worker(build(args), loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main()
