"""A small worker that the tests kill: counts records by key, exactly, with the transport, claims and page store.

For each piece of a source partition it sends the counts of its keys to the output partitions, and now and then it
saves its own totals. What a reader accepts must add up to what is in the source, whatever happens to workers.
"""

import argparse
import asyncio
import contextlib
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import faust
import msgspec
from faust.types import TP

from agents import broker
from agents.claims import Mark
from agents.pages import Snapshot
from agents.pagestore import PageStore
from agents.takeover import Outputs, decode_journals, encode_journals, take_over
from agents.transport import driver
from agents.transport.chunks import Chunk, ChunkSchema

OWNER: Final = "counting"
PAGES: Final = 8
SNAPSHOT_EVERY_S: Final = 0.4


class Part:
    """One source partition while it is ours."""

    def __init__(self, outputs: Outputs, targets: Sequence[broker.Partition], *, snapshot: Snapshot | None) -> None:
        self.outputs = outputs
        self._targets = targets
        self._dirty: set[int] = set()
        self._totals: Counter[str] = Counter()
        self.position = self.saved = 0
        if snapshot is not None:
            self.position = self.saved = snapshot.root["position"]
            for page in snapshot.pages.values():
                self._totals.update(msgspec.json.decode(page, type=dict[str, int]))

    async def feed(self, chunk: Chunk) -> bool:
        """Count what is new in the chunk; a piece ends where the fence of some output lies.

        False when a chunk before this one was missed: then nothing is counted.
        """
        if chunk.start > self.position:
            return False
        for piece in pieces(chunk, [self.position, *(mark.to for mark in self.outputs.fences.values())]):
            if piece.end <= self.position:
                continue
            counts = Counter((record.key or b"").decode() for record in piece.records)
            shares: defaultdict[int, dict[str, int]] = defaultdict(dict)
            for key, count in sorted(counts.items()):
                shares[hash_of(key) % len(self._targets)][key] = count
            for index, share in shares.items():
                value = msgspec.json.encode(share)
                mark = Mark(piece.end, 0)
                await self.outputs.send(self._targets[index], value, start=self.position, mark=mark)
            self._totals += counts
            self._dirty |= {hash_of(key) % PAGES for key in counts}
            self.position = piece.end
        return True

    def pages(self) -> dict[str, bytes | None]:
        """The pages that changed since the last call."""
        content: dict[int, dict[str, int]] = {page: {} for page in sorted(self._dirty)}
        self._dirty = set()
        for key in sorted(self._totals):
            page = hash_of(key) % PAGES
            if page in content:
                content[page][key] = self._totals[key]
        return {str(page): msgspec.json.encode(counts) for page, counts in content.items()}


class Worker:
    """All source partitions that are ours."""

    def __init__(self, args: argparse.Namespace, app: faust.App) -> None:
        self._args = args
        self._app = app
        self._targets = [(args.out, partition) for partition in range(args.out_partitions)]
        self._parts: dict[TP, asyncio.Task[Part]] = {}
        self._lock = asyncio.Lock()
        self._opened = contextlib.AsyncExitStack()
        self._store: PageStore | None = None
        self._producer: Any = None

    async def assigned(self, tps: set[TP]) -> None:
        """Begin to take these over."""
        if self._store is None:
            self._producer = await self._opened.enter_async_context(broker.open_producer(self._args.bootstrap))
            self._store = PageStore(
                self._producer,
                bootstrap=self._args.bootstrap,
                topic=self._args.state,
                partitions=self._args.state_partitions,
            )
        generation = self._app.consumer_generation_id
        for tp in sorted(tps):
            if tp.topic == self._args.source:
                self._parts[tp] = asyncio.create_task(self._take_over(tp, generation, self._store))

    async def _take_over(self, tp: TP, generation: int, store: PageStore) -> Part:
        consumer = driver.consumer_of(self._app)
        snapshot = await store.take_over(OWNER, tp.partition, generation=generation, confirm=consumer.confirm_session)
        outputs = await take_over(
            self._producer,
            bootstrap=self._args.bootstrap,
            source=(tp.topic, tp.partition),
            outputs=self._targets,
            generation=generation,
            confirm=consumer.confirm_session,
            check=consumer.check_session,
            since=decode_journals(snapshot.root["journals"]) if snapshot else None,
        )
        return Part(outputs, self._targets, snapshot=snapshot)

    async def revoked(self) -> None:
        """Save and let go of all."""
        async with self._lock:
            parts, self._parts = self._parts, {}
            for tp, task in parts.items():
                if task.done():
                    await self._save(tp, task.result())
                else:
                    task.cancel()

    async def feed(self, chunk: Chunk) -> None:
        """Count a chunk, if its partition is (still) ours."""
        async with self._lock:
            tp = TP(chunk.topic, chunk.partition)
            task = self._parts.get(tp)
            if task is None:
                return
            part = await asyncio.shield(task)
            if not await part.feed(chunk):
                await driver.consumer_of(self._app).rewind(tp, part.position, missed_before=chunk)

    async def snapshot(self) -> None:
        """Save all that changed."""
        async with self._lock:
            for tp, task in self._parts.items():
                if task.done():
                    await self._save(tp, task.result())

    async def _save(self, tp: TP, part: Part) -> None:
        if self._store is None or part.position == part.saved:
            return
        await part.outputs.flush()
        root = {"position": part.position, "journals": encode_journals(part.outputs.journals)}
        await self._store.save(OWNER, tp.partition, part.pages(), root)
        part.saved = part.position
        driver.consumer_of(self._app).settle(tp, part.position)

    async def close(self) -> None:
        """Save, let go, and close."""
        await self.revoked()
        await self._opened.aclose()


def pieces(chunk: Chunk, cuts: Sequence[int]) -> Iterator[Chunk]:
    """The chunk, cut at these offsets."""
    rest: Chunk | None = chunk
    for cut in sorted(cuts):
        if rest is not None:
            before, rest = rest.split(cut)
            if before is not None:
                yield before
    if rest is not None:
        yield rest


def hash_of(key: str) -> int:
    """The same on every machine."""
    return zlib.crc32(key.encode())


def build(args: argparse.Namespace) -> faust.App:
    """The Faust app around a worker."""
    driver.register()
    app = faust.App(
        args.group,
        broker=driver.broker_url(args.bootstrap),
        web_enabled=False,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_commit_interval=0.5,
        datadir=args.datadir,
        **driver.APP_SETTINGS,
    )
    worker = Worker(args, app)
    topic = app.topic(args.source, schema=ChunkSchema(args.chunk), maxsize=16)

    chunks = 0

    @app.agent(topic)
    async def count(stream: Any) -> None:
        nonlocal chunks
        async for event in stream.noack().events():
            chunks += 1
            if chunks == args.fail_at:
                raise RuntimeError("this chunk was not to be")
            await worker.feed(event.value)
            await asyncio.sleep(args.delay_ms / 1000)

    async def assigned(*args: Any, **_: Any) -> None:
        await worker.assigned(args[1])

    async def revoked(*_: Any, **__: Any) -> None:
        await worker.revoked()

    async def closing(*_: Any, **__: Any) -> None:
        await worker.close()

    app.timer(SNAPSHOT_EVERY_S)(worker.snapshot)
    app.on_partitions_assigned.connect(assigned)
    app.on_partitions_revoked.connect(revoked)
    app.on_before_shutdown.connect(closing)
    return app


def main() -> None:
    """Run until a signal."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "group", "source", "out", "state", "datadir"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("out-partitions", "state-partitions", "chunk", "delay-ms", "fail-at"):
        parser.add_argument(f"--{name}", required=True, type=int)
    args = parser.parse_args()
    sys.argv = [sys.argv[0], "worker"]
    faust.Worker(build(args), loglevel="INFO").execute_from_commandline()


if __name__ == "__main__":
    main()
