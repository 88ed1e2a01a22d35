"""A broker and a store of its own for every test, since the contract's topics have fixed names."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from agents.app import topic_specs
from embedded import kafka
from schemas.settings import Settings
from tests.parity.arena import Arena
from tests.services.conftest import Broker, broker, pytest_runtest_setup, wanted

__all__ = ["broker", "pytest_runtest_setup"]


@pytest.fixture
def fresh_broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a broker that has no topics of ours."""
    if wanted() == "embedded":
        with kafka.start() as server:
            yield server.bootstrap
        return
    shared: Broker = request.getfixturevalue("broker")
    asyncio.run(_without_topics(shared.bootstrap))
    yield shared.bootstrap


@pytest.fixture
def arena(fresh_broker: str, tmp_path: Path) -> Iterator[Arena]:
    with contextlib.closing(Arena(fresh_broker, tmp_path)) as arena:
        yield arena


async def _without_topics(bootstrap: str) -> None:
    ours = {spec.name for spec in topic_specs(Settings())}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        deadline = time.monotonic() + 30
        while left := ours & set(await admin.list_topics()):
            assert time.monotonic() < deadline, f"topics do not go: {left}"
            await admin.delete_topics(sorted(left))
            await asyncio.sleep(0.5)
    finally:
        await admin.close()
