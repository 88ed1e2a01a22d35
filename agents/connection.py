"""How Kafka is reached: the same settings for Faust and for our own clients."""

import ssl
from typing import Any

import faust

from schemas.errors import ConfigError
from schemas.settings import Settings


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for aiokafka's clients, besides the servers. ConfigError where a certificate cannot be read."""
    options: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    if "SSL" in settings.kafka_security_protocol:
        options["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password
    return options


def credentials(settings: Settings) -> Any:
    """What Faust wants for the same; None for plain text."""
    context = _ssl_context(settings) if "SSL" in settings.kafka_security_protocol else None
    if settings.kafka_security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username, password=settings.kafka_sasl_password,
            mechanism=settings.kafka_sasl_mechanism, ssl_context=context,
        )  # fmt: skip
    return None if context is None else faust.SSLCredentials(context)


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError([f"kafka_ssl_cafile: {settings.kafka_ssl_cafile}: {error}"]) from None
    if settings.kafka_ssl_certfile:
        try:
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError([f"kafka_ssl_certfile: {settings.kafka_ssl_certfile}: {error}"]) from None
    return context
