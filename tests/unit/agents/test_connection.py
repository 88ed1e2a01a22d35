"""How Kafka is reached: what its clients are given, and that a broker's certificate and ours are really looked at."""

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from agents.connection import client_options, credentials
from schemas.errors import ConfigError
from schemas.settings import Settings

SASL: Final = {
    "kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_sasl_username": "worker", "kafka_sasl_password": "secret"
}  # fmt: skip


def settings(protocol: str, **fields: Any) -> Settings:
    return Settings(kafka_security_protocol=protocol, **fields)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`broker` and `worker`, each its own authority."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("broker", "worker"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder


async def shakes_hands(given: Settings, certificates: Path) -> bool:
    """Whether a broker that asks for our certificate and we come to terms."""
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "worker.pem"))
    ours.load_cert_chain(certificates / "broker.pem", certificates / "broker.key")
    ours.verify_mode = ssl.CERT_REQUIRED

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"k")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=ours)
    try:
        port = server.sockets[0].getsockname()[1]
        context = client_options(given)["ssl_context"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        said = await reader.read(1)
        writer.close()
    except (ssl.SSLError, OSError):
        return False
    finally:
        server.close()
    return said == b"k"


def test_plain_text_needs_nothing_more() -> None:
    assert client_options(settings("PLAINTEXT")) == {"security_protocol": "PLAINTEXT"}
    assert credentials(settings("PLAINTEXT")) is None


def test_sasl_is_given_to_every_client_alike() -> None:
    given = settings("SASL_SSL", **SASL)
    options, faust = client_options(given), credentials(given)
    assert options["sasl_mechanism"] == faust.mechanism.value == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == faust.username == "worker"
    assert options["sasl_plain_password"] == faust.password == "secret"
    assert options["security_protocol"] == faust.protocol.value == "SASL_SSL"
    assert faust.ssl_context is not None
    assert "secret" not in repr(given)


@pytest.mark.parametrize(
    ("authority", "own", "comes"),
    [("broker", "worker", True), ("worker", "worker", False), ("broker", "", False), ("broker", "broker", False)],
)
async def test_both_sides_show_who_they_are(certificates: Path, authority: str, own: str, comes: bool) -> None:
    given = settings(
        "SSL", kafka_ssl_cafile=str(certificates / f"{authority}.pem"),
        kafka_ssl_certfile=str(certificates / f"{own}.pem") if own else "",
        kafka_ssl_keyfile=str(certificates / f"{own}.key") if own else "",
    )  # fmt: skip
    assert await shakes_hands(given, certificates) is comes


@pytest.mark.parametrize("key", ["kafka_ssl_cafile", "kafka_ssl_certfile"])
def test_a_certificate_that_cannot_be_read_is_named(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: /nowhere.pem"):
        client_options(settings("SSL", **{key: "/nowhere.pem"}))
