"""A worker on an Apache Kafka that asks for TLS, a password and rights: those of deploy/kubernetes/kafka/users.yaml.

The authority is ours, users come by SCRAM-SHA-512, the authorizer is Kafka's own, and whoever has no right is refused.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agents.app import topic_specs
from agents.broker import ensure_topics
from embedded import clickhouse, kafka
from schemas.settings import Settings
from tests.services.conftest import free_port, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).parents[2]
USERS: Final = ROOT / "deploy" / "kubernetes" / "kafka" / "users.yaml"
PASSWORD: Final = "correct-horse"
PROPERTIES: Final = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SECURE://127.0.0.1:{secure}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Secured:
    """The broker: a plain door for its administrator, a secure one for everybody else."""

    def __init__(self, folder: Path, plain: int, secure: int) -> None:
        self.folder = folder
        self.plain = f"127.0.0.1:{plain}"
        self.secure = f"127.0.0.1:{secure}"

    def environment(self, user: str, **more: str) -> dict[str, str]:
        """The settings of somebody who comes through the secure door."""
        given = {
            "KAFKA_BOOTSTRAP": self.secure, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_USERNAME": user, "KAFKA_SASL_PASSWORD": PASSWORD,
            "KAFKA_SSL_CAFILE": str(self.folder / "authority.pem"), "PARTITIONS": "2", "SALT": "s",
            "SPOOL_DIR": str(self.folder / "spool"),
        } | more  # fmt: skip
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PEAKWATCH_")}
        return {**inherited, "PYTHONPATH": str(ROOT), **{f"PEAKWATCH_{name}": value for name, value in given.items()}}

    def run(self, *command: str, user: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "peakwatch.cli", *command], env=self.environment(user, **more), cwd=self.folder,
            input=stdin, capture_output=True, text=True, timeout=120,
        )  # fmt: skip


def kafka_users() -> dict[str, list[dict[str, Any]]]:
    """The rights of each user that deploy/kubernetes has."""
    found = [one for one in yaml.safe_load_all(USERS.read_text("utf-8")) if one]
    return {one["metadata"]["name"]: one["spec"]["authorization"]["acls"] for one in found}


def grant(bootstrap: str, users: Mapping[str, list[dict[str, Any]]]) -> None:
    """Give each user its rights, as Strimzi would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # how kafka-python reads its own files
        api: Any = import_module("kafka.admin")
    acls = [
        api.ACL(
            principal=f"User:{user}", host="*", operation=api.ACLOperation[operation.upper()],
            permission_type=api.ACLPermissionType.ALLOW,
            resource_pattern=api.ResourcePattern(
                api.ResourceType[acl["resource"]["type"].upper()], acl["resource"]["name"],
                api.ACLResourcePatternType["PREFIXED" if acl["resource"].get("patternType") else "LITERAL"],
            ),
        )
        for user, given in users.items() for acl in given for operation in acl["operations"]
    ]  # fmt: skip
    admin = api.KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        assert admin.create_acls(acls)["failed"] == []
    finally:
        admin.close()


def make_keystore(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 in one file; the certificate alone is the authority."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker",
         "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
         "-keyout", folder / "broker.key", "-out", folder / "authority.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    keystore = folder / "keystore.pem"
    keystore.write_text((folder / "broker.key").read_text() + (folder / "authority.pem").read_text())
    return keystore


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    missing = [program for program in ("java", "mvn", "openssl") if shutil.which(program) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"Apache Kafka needs {' and '.join(missing)}")
    folder = tmp_path_factory.mktemp("secured")
    plain, secure = free_port(), free_port()
    properties = folder / "more.properties"
    properties.write_text(
        PROPERTIES.format(port=plain, controller=plain + 1, secure=secure, keystore=make_keystore(folder))
    )
    users = kafka_users()
    command: list[str | Path] = [
        ROOT / "scripts" / "kafka", "run", "--data", folder / "kafka", "--port", str(plain), "--with", properties,
        *(word for user in users for word in ("--user", f"{user}={PASSWORD}")),
    ]  # fmt: skip
    with (folder / "kafka.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    guard = kafka.guard(process.pid)
    try:
        until(lambda: kafka.answers(plain) or process.poll() is not None, within_s=120)
        assert kafka.answers(plain), (folder / "kafka.log").read_text()[-2000:]
        one = Secured(folder, plain, secure)
        asyncio.run(ensure_topics(one.plain, topic_specs(Settings(partitions=2))))
        grant(one.plain, users)
        yield one
    finally:
        if guard is not None:
            guard.end()
        process.terminate()
        process.wait(30)


def events(count: int) -> str:
    now = time.time_ns() // 1_000_000
    return "".join(
        json.dumps({"topic": "reviews", "event_id": f"e{n}", "event_time": now, "review_id": f"r{n}", "text": "很好"})
        + "\n"
        for n in range(count)
    )


def test_producer_and_worker_do_their_work_with_just_their_rights(secured: Secured) -> None:
    with clickhouse.start(secured.folder / "clickhouse") as store:
        place = {"CLICKHOUSE_PORT": str(store.port)}
        assert secured.run("migrate", user="peakwatch-worker", **place).returncode == 0
        doctor = secured.run("doctor", user="peakwatch-worker", **place)
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        with (secured.folder / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "peakwatch.cli", "worker"], cwd=secured.folder,
                env=secured.environment("peakwatch-worker", **place), stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            fed = secured.run("feed", "-", user="peakwatch-producer", stdin=events(40))
            assert fed.returncode == 0, fed.stderr
            stored = until(lambda: _stored(place) == 40, within_s=120)
            assert stored, (secured.folder / "worker.log").read_text()[-3000:]
        finally:
            worker.terminate()
            ended = worker.wait(30)
        assert ended == 0, (secured.folder / "worker.log").read_text()[-3000:]


def _stored(place: Mapping[str, str]) -> int:
    from storage.client import ClickHouse, ClickHouseSettings

    client = ClickHouse(ClickHouseSettings(port=int(place["CLICKHOUSE_PORT"])))
    try:
        return int(client.execute("SELECT count() FROM peakwatch.reviews_v")[0][0])
    finally:
        client.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"KAFKA_SASL_PASSWORD": "incorrect"},
        {"KAFKA_SASL_USERNAME": "nobody"},
        {"KAFKA_SSL_CAFILE": ""},  # the system's authorities do not know ours
        {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
    ],
    ids=["password", "user", "authority", "no-tls"],
)
def test_who_shows_something_wrong_is_told_so_in_one_line_and_gets_nowhere(
    secured: Secured, wrong: dict[str, str]
) -> None:
    done = secured.run("feed", "-", user=wrong.get("KAFKA_SASL_USERNAME", "peakwatch-producer"), stdin=events(1),
                       **{name: value for name, value in wrong.items() if name != "KAFKA_SASL_USERNAME"})  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert "incorrect" not in done.stdout + done.stderr


def test_a_producer_may_not_act_on_alerts(secured: Secured) -> None:
    refused = secured.run(
        "alerts", "silence", "kind=negative_spike", "--until", "2030-01-01T00:00:00Z", "--wait", "0s",
        user="peakwatch-producer",
    )  # fmt: skip
    assert refused.returncode == 1, refused.stdout
    assert "Traceback" not in refused.stderr
    assert "TopicAuthorizationFailedError: peakwatch-actions" in refused.stderr
