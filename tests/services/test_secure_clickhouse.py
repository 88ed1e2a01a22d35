"""TLS to ClickHouse: our commands through an end of TLS in front of the embedded server, which has none of its own."""

import asyncio
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from embedded.clickhouse import start

pytestmark = pytest.mark.embedded

ROOT: Final = Path(__file__).parents[2]
PASSWORD: Final = "correct-horse"


class End:
    """Takes TLS connections on a thread of its own and hands on what is in them."""

    def __init__(self, certificate: Path, key: Path, *, behind: int) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        self._behind = behind
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._behind)
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:  # the other side went first
        return
    finally:
        writer.close()


def make_certificate(folder: Path, name: str, shown: str) -> Path:
    """Its own authority, for `shown`."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName={shown}", "-days", "2",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / f"{name}.pem"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, int]]]:
    """The folder of the certificates, and by certificate the port of the end that shows it."""
    folder = tmp_path_factory.mktemp("secured")
    certificates = {"right": "IP:127.0.0.1", "elsewhere": "DNS:clickhouse.example.com"}
    with start(folder / "clickhouse", user="peakwatch", password=PASSWORD) as server:
        ends = {
            name: End(make_certificate(folder, name, shown), folder / f"{name}.key", behind=server.port)
            for name, shown in certificates.items()
        }
        yield folder, {name: end.port for name, end in ends.items()} | {"plain": server.port}
        for end in ends.values():
            end.close()


def migrate(folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    given = {"USER": "peakwatch", "PASSWORD": PASSWORD, "SECURE": "true"} | settings
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PEAKWATCH_")}
    environment = {f"PEAKWATCH_CLICKHOUSE_{name}": value for name, value in given.items()}
    return subprocess.run(
        [sys.executable, "-m", "peakwatch.cli", "migrate"], env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_through_tls_with_our_own_authority_everything_works(secured: tuple[Path, dict[str, int]]) -> None:
    folder, ports = secured
    done = migrate(folder, PORT=str(ports["right"]), CA_CERTS=str(folder / "right.pem"))
    assert done.returncode == 0, done.stderr
    assert "0009_review_words.sql: applied" in done.stdout


@pytest.mark.parametrize(
    ("port", "changed", "why"),
    [
        ("right", {"CA_CERTS": ""}, "self-signed certificate"),  # the system's authorities do not know ours
        ("right", {"CA_CERTS": "elsewhere.pem"}, "certificate verify failed"),
        ("elsewhere", {"CA_CERTS": "elsewhere.pem"}, "not valid for '127.0.0.1'"),  # known, but another server's
        ("right", {"CA_CERTS": "right.pem", "PASSWORD": "wrong-horse"}, "password"),
        ("plain", {"CA_CERTS": "right.pem"}, "SSL"),
        ("right", {"SECURE": "false"}, "EOF"),
    ],
    ids=["unknown", "another-authority", "another-server", "password", "no-tls-there", "no-tls-here"],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_one_line(
    secured: tuple[Path, dict[str, int]], port: str, changed: dict[str, str], why: str
) -> None:
    folder, ports = secured
    settings = dict(changed)
    if settings.get("CA_CERTS"):
        settings["CA_CERTS"] = str(folder / settings["CA_CERTS"])
    done = migrate(folder, PORT=str(ports[port]), **settings)
    assert done.returncode == 1, done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert why in done.stderr
    assert PASSWORD not in done.stderr
    assert "wrong-horse" not in done.stderr
