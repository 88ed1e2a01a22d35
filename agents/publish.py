"""Many small messages to a topic, packed into the broker's batches by ourselves: a send for each would cost more
than the message.
"""

import asyncio
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import TransientError


class Publisher:
    """Keyed messages for one topic; the same key always goes to the same partition."""

    def __init__(self, producer: AIOKafkaProducer, *, topic: str, partitions: int) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._batches: dict[int, Any] = {}
        self._waiting: list[asyncio.Future[Any]] = []

    async def add(self, key: bytes, value: bytes) -> None:
        """Pack one message; a full batch is sent. TransientError when the broker is not there."""
        partition = crc32(key) % self._partitions
        batch = self._batches.get(partition)
        if batch is None:
            batch = self._batches[partition] = self._producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None) is None:
            await self._send(partition)
            batch = self._batches[partition] = self._producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                raise TransientError(f"kafka: a message of {len(value)} bytes for {self._topic} fits into no batch")

    async def flush(self) -> None:
        """Send what is packed and wait until the broker has all of it."""
        for partition in list(self._batches):
            await self._send(partition)
        waiting, self._waiting = self._waiting, []
        try:
            await asyncio.gather(*waiting)
        except KafkaError as error:
            raise TransientError(f"kafka: cannot write to {self._topic}: {error!r}") from error

    async def _send(self, partition: int) -> None:
        batch = self._batches.pop(partition)
        batch.close()
        try:
            self._waiting.append(await self._producer.send_batch(batch, self._topic, partition=partition))
        except KafkaError as error:
            raise TransientError(f"kafka: cannot write to {self._topic}: {error!r}") from error
