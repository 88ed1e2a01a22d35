"""The worker's HTTP port: /metrics for Prometheus, /healthz and /readyz for whoever starts and stops it.

It is served by the worker's own event loop, so that an answer proves that the loop turns, and so that what is
read at a scrape is not changed meanwhile.
"""

import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from agents.metrics.process import register_process, watch_pauses
from schemas.errors import ConfigError

_PLAIN: Final = "text/plain"


class Health(NamedTuple):
    """What is wrong with the worker: with `ills` it should be started anew, with `lacks` it is not at work yet."""

    ills: tuple[str, ...]
    lacks: tuple[str, ...]


def ensure_free(*, port: int, host: str) -> None:
    """ConfigError when the port is taken: asked before anything is started that would have to be ended again."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise _taken(error, port=port, host=host) from None


async def serve(
    collector: Collector, health: Callable[[], Health], *, port: int, host: str
) -> Callable[[], Awaitable[None]]:
    """Answer at http://host:port until what is returned is awaited. ConfigError when the port is taken."""
    registry = CollectorRegistry()
    registry.register(collector)
    register_process(registry)
    watch_pauses()

    async def metrics(request: web.Request) -> web.Response:
        encode, kind = choose_encoder(", ".join(request.headers.getall("Accept", [])))
        return web.Response(body=encode(registry), headers={"Content-Type": kind})

    async def healthz(_: web.Request) -> web.Response:
        return _answer(health().ills)

    async def readyz(_: web.Request) -> web.Response:
        now = health()
        return _answer((*now.ills, *now.lacks))

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, OverflowError) as error:
        await runner.cleanup()
        raise _taken(error, port=port, host=host) from None
    return runner.cleanup


def _taken(error: Exception, *, port: int, host: str) -> ConfigError:
    return ConfigError([f"metrics_port: {host}:{port}: {getattr(error, 'strerror', None) or error}"])


def _answer(wrong: Iterable[str]) -> web.Response:
    lines = list(wrong)
    return web.Response(status=503 if lines else 200, text="\n".join(lines or ["ok"]) + "\n", content_type=_PLAIN)
