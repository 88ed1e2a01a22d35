"""What a worker holds open to the world: Kafka's producer, the states' store, ClickHouse's writer, HTTP for notices.

Decides when each is opened and that all are closed; what is sent over them is others' business.
"""

import contextlib
from collections.abc import Awaitable, Callable

import aiohttp
from aiokafka import AIOKafkaProducer

from agents import broker, connection
from agents.pagestore import PageStore
from alerts.notify.http import open_session
from schemas.settings import Settings
from storage.writer import Writer


class Clients:
    """Opened once; `producer`, `store` and `writer` are there from then on."""

    producer: AIOKafkaProducer
    store: PageStore
    writer: Writer

    def __init__(self, settings: Settings) -> None:
        self.options = connection.client_options(settings)
        self._settings = settings
        self._opened = False
        self._held = contextlib.AsyncExitStack()
        self._http: aiohttp.ClientSession | None = None

    async def open(self, writer: Callable[[], Writer]) -> None:
        """Open what is not open yet. TransientError if Kafka cannot be reached."""
        if self._opened:
            return
        settings = self._settings
        # linger_ms=0: we pack ourselves; with a linger, aiokafka on uvloop was seen to stop sending for good.
        self.producer = await self._held.enter_async_context(
            broker.open_producer(settings.kafka_bootstrap, linger_ms=0, options=self.options)
        )
        self.store = PageStore(
            self.producer, bootstrap=settings.kafka_bootstrap, partitions=settings.partitions, options=self.options
        )
        self.writer = writer()
        self._held.push_async_callback(self.writer.close)
        await self.writer.start()
        self._opened = True

    async def http(self) -> aiohttp.ClientSession:
        """The session that notices go out by, opened when first asked for."""
        if self._http is None:
            self._http = await self._held.enter_async_context(open_session())
        return self._http

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Send one record; returns once the broker has it."""
        await self.producer.send_and_wait(topic, value, key=key)

    def on_close(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done when all is closed."""
        self._held.push_async_callback(work)

    async def close(self) -> None:
        """Close everything; the writer stores or spools what it holds."""
        await self._held.aclose()
