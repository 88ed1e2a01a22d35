"""deploy/kubernetes: what kustomize makes of it, by Kubernetes' own schemas, and that every name means something.

The operators' own resources have no schema here: their fields are held against lists written after their documents.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from agents.app import topic_specs
from peakwatch.cli import COMMANDS
from schemas.settings import Settings, read_settings
from schemas.topics import ALERTS, SOURCES
from tests.suites.compose import ROOT, image_env

FOLDER: Final = ROOT / "deploy" / "kubernetes"
VERSIONS: Final = ("1.32", "1.37")
BY_HAND: Final = {"peakwatch-clickhouse", "peakwatch-salt", "peakwatch-clickhouse-tls"}  # docs/operations.md says how
# Fields of the operators' resources, by kind: of `spec`, as their documentation has them.
FIELDS: Final = {
    "Kafka": {"kafka", "entityOperator", "clusterCa", "clientsCa", "cruiseControl", "kafkaExporter"},
    "KafkaNodePool": {"replicas", "roles", "storage", "resources", "jvmOptions", "template"},
    "KafkaTopic": {"partitions", "replicas", "config", "topicName"},
    "KafkaUser": {"authentication", "authorization", "quotas", "template"},
    "ClickHouseInstallation": {"configuration", "defaults", "templates", "stop", "restart", "taskID"},
    "ClickHouseKeeperInstallation": {"configuration", "defaults", "templates", "stop", "taskID"},
    "ScaledObject": {
        "scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "advanced",
        "triggers", "fallback", "idleReplicaCount", "initialCooldownPeriod",
    },
    "TriggerAuthentication": {"secretTargetRef", "env", "podIdentity", "configMapTargetRef"},
    "PodMonitor": {"selector", "podMetricsEndpoints", "namespaceSelector", "jobLabel", "podTargetLabels"},
    "PrometheusRule": {"groups"},
}  # fmt: skip
KAFKA_TRIGGER: Final = {
    "bootstrapServers", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold", "offsetResetPolicy",
    "allowIdleConsumers", "excludePersistentLag", "limitToPartitionsWithLag", "version", "partitionLimitation",
}  # fmt: skip

Found = list[dict[str, Any]]


@pytest.fixture(scope="module")
def built() -> Found:
    """What kustomize makes of it."""
    program = Path(sys.executable).with_name("kubectl")
    found = str(program) if program.exists() else shutil.which("kubectl")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("kubectl is missing: make setup-dev")
        pytest.skip("kubectl is not installed")
    done = subprocess.run([found, "kustomize", FOLDER], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@pytest.fixture(scope="module")
def settings(built: Found) -> Settings:
    """What a worker would read."""
    return read_settings(None, environment(built))


def environment(built: Found) -> dict[str, str]:
    literals: dict[str, str] = one(built, "ConfigMap", "peakwatch-settings-*")["data"]
    secrets = {entry["name"]: "a-secret" for entry in container(built)["env"]}
    return {**image_env(), **literals, **secrets}


def one(built: Found, kind: str, name: str) -> dict[str, Any]:
    pattern = re.escape(name).replace(r"\*", ".*")
    found = [r for r in built if r["kind"] == kind and re.fullmatch(pattern, r["metadata"]["name"])]
    assert len(found) == 1, (kind, name)
    return found[0]


def every(built: Found, kind: str) -> Found:
    return [r for r in built if r["kind"] == kind]


def pod(built: Found) -> dict[str, Any]:
    spec: dict[str, Any] = one(built, "StatefulSet", "peakwatch-worker")["spec"]["template"]["spec"]
    return spec


def container(built: Found) -> dict[str, Any]:
    found: dict[str, Any] = pod(built)["containers"][0]
    return found


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_resources_keep_its_schemas(built: Found, version: str) -> None:
    validator: Any = import_module("kubernetes_validate")
    own = [r for r in built if r["kind"] not in FIELDS]
    assert len(own) >= 8
    for resource in own:
        validator.validate(resource, version, strict=True)


def test_operators_resources_have_fields_that_they_document(built: Found) -> None:
    theirs = [r for r in built if r["kind"] in FIELDS]
    assert {r["kind"] for r in theirs} == FIELDS.keys()
    for resource in theirs:
        assert resource.keys() == {"apiVersion", "kind", "metadata", "spec"}, resource["metadata"]["name"]
        assert resource["spec"].keys() <= FIELDS[resource["kind"]], resource["metadata"]["name"]


def test_everything_lives_in_one_namespace(built: Found) -> None:
    namespace = one(built, "Namespace", "peakwatch")["metadata"]["name"]
    assert {r["metadata"]["namespace"] for r in built if r["kind"] != "Namespace"} == {namespace}


def test_what_follows_from_elsewhere_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "kubernetes.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_are_read_without_a_mistake(settings: Settings) -> None:
    assert settings.kafka_security_protocol == "SASL_SSL"
    assert settings.kafka_replication == 3
    assert settings.clickhouse_secure


def test_every_secret_is_made_by_an_operator_or_named_in_the_docs(built: Found) -> None:
    kafka = one(built, "Kafka", "*")["metadata"]["name"]
    made = {r["metadata"]["name"] for r in (*every(built, "KafkaUser"), *every(built, "Secret"))}
    made |= {f"{kafka}-cluster-ca-cert"}
    asked = {found["secretKeyRef"]["name"] for found in walk(built) if "secretKeyRef" in found}
    asked |= {found["secretName"] for found in walk(built) if "secretName" in found}
    asked |= {entry["name"] for r in every(built, "TriggerAuthentication") for entry in r["spec"]["secretTargetRef"]}
    asked |= {
        str(value).split("/")[0]
        for r in every(built, "ClickHouseInstallation")
        for key, value in r["spec"]["configuration"]["users"].items()
        if "secret" in key
    }
    assert asked - made == BY_HAND
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert [name for name in BY_HAND if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)] == []


def test_no_secret_stands_in_a_file(built: Found) -> None:
    assert [r["metadata"]["name"] for r in every(built, "Secret")] == ["peakwatch-keda"]
    keda = one(built, "Secret", "peakwatch-keda")
    assert keda.get("data") is None
    assert keda["stringData"].keys() == {"username", "sasl", "tls"}
    config = one(built, "ConfigMap", "peakwatch-settings-*")["data"]
    assert [name for name in config if re.search("PASSWORD|SALT|TOKEN", name)] == []


def test_what_pods_mount_and_read_is_there(built: Found) -> None:
    maps = {r["metadata"]["name"] for r in every(built, "ConfigMap")}
    asked = {found["configMapRef"]["name"] for found in walk(built) if "configMapRef" in found}
    asked |= {volume["configMap"]["name"] for volume in pod(built)["volumes"] if "configMap" in volume}
    assert asked == maps
    stateful = one(built, "StatefulSet", "peakwatch-worker")["spec"]
    volumes = {v["name"] for v in pod(built)["volumes"]} | {
        c["metadata"]["name"] for c in stateful["volumeClaimTemplates"]
    }
    for which in (*pod(built)["containers"], *pod(built)["initContainers"]):
        assert {mount["name"] for mount in which["volumeMounts"]} == volumes


def test_paths_in_the_settings_are_mounted(built: Found, settings: Settings) -> None:
    mounts = [mount["mountPath"] for mount in container(built)["volumeMounts"]]
    for path in (settings.spool_dir, settings.notify, settings.kafka_ssl_cafile, settings.clickhouse_ca_certs):
        assert any(path == mount or path.startswith(mount + "/") for mount in mounts), path


def test_the_spool_fits_on_its_disk(built: Found, settings: Settings) -> None:
    claim = one(built, "StatefulSet", "peakwatch-worker")["spec"]["volumeClaimTemplates"][0]
    room = re.fullmatch(r"(\d+)Gi", claim["spec"]["resources"]["requests"]["storage"])
    assert room is not None
    assert settings.spool_max_mb < int(room[1]) * 1024


def test_pods_run_commands_of_ours_with_little_rights(built: Found) -> None:
    spec = pod(built)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["automountServiceAccountToken"] is False
    for which in (*spec["containers"], *spec["initContainers"]):
        assert which["args"][0] in COMMANDS
        assert which["securityContext"]["readOnlyRootFilesystem"] is True
        assert which["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert which["resources"]["limits"]["memory"]


def test_service_variables_are_not_taken_for_settings(built: Found) -> None:
    """Kubernetes would set PEAKWATCH_WORKER_PORT and more, which no setting is."""
    assert pod(built)["enableServiceLinks"] is False


def test_probes_ask_the_port_of_the_metrics(built: Found, settings: Settings) -> None:
    which = container(built)
    assert which["ports"] == [{"name": "metrics", "containerPort": settings.metrics_port}]
    probes = {name: which[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in probes.values()} == {"metrics"}
    assert probes["startup"]["path"] == probes["liveness"]["path"] == "/healthz"
    assert probes["readiness"]["path"] == "/readyz"


def test_who_selects_workers_finds_them(built: Found) -> None:
    labels = one(built, "StatefulSet", "peakwatch-worker")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        one(built, "StatefulSet", "peakwatch-worker")["spec"]["selector"]["matchLabels"],
        one(built, "Service", "peakwatch-worker")["spec"]["selector"],
        one(built, "PodDisruptionBudget", "peakwatch-worker")["spec"]["selector"]["matchLabels"],
        one(built, "NetworkPolicy", "peakwatch-worker")["spec"]["podSelector"]["matchLabels"],
        one(built, "PodMonitor", "peakwatch-worker")["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert one(built, "PodMonitor", "peakwatch-worker")["spec"]["podMetricsEndpoints"][0]["port"] == "metrics"


def test_keda_scales_the_workers_on_their_groups_lag(built: Found, settings: Settings) -> None:
    scaled = one(built, "ScaledObject", "peakwatch-worker")["spec"]
    target = scaled["scaleTargetRef"]
    assert one(built, target["kind"], target["name"])["apiVersion"] == target["apiVersion"]
    assert "replicas" not in one(built, "StatefulSet", "peakwatch-worker")["spec"], (
        "each apply would undo KEDA's number"
    )
    assert 2 <= scaled["minReplicaCount"] <= scaled["maxReplicaCount"] == settings.partitions
    host, port = settings.kafka_bootstrap.split(":")
    for trigger in scaled["triggers"]:
        asked = trigger["metadata"]
        assert trigger["type"] == "kafka"
        assert asked.keys() <= KAFKA_TRIGGER
        assert all(isinstance(value, str) for value in asked.values())
        assert asked["consumerGroup"] == settings.group
        assert asked["topic"] in SOURCES
        assert asked["bootstrapServers"] == f"{host}.peakwatch:{port}"
        one(built, "TriggerAuthentication", trigger["authenticationRef"]["name"])


def test_kafka_has_the_topics_of_the_workers(built: Found, settings: Settings) -> None:
    there = {r["metadata"]["name"]: r["spec"] for r in every(built, "KafkaTopic")}
    for spec in topic_specs(settings):
        assert there.pop(spec.name) == {
            "partitions": spec.partitions, "replicas": spec.replication, "config": dict(spec.config)
        }  # fmt: skip
    assert there == {}


def test_users_may_do_what_they_must(built: Found, settings: Settings) -> None:
    worker = one(built, "KafkaUser", settings.kafka_sasl_username)["spec"]

    def may(name: str, operation: str) -> bool:
        return any(
            operation in acl["operations"]
            and acl["resource"]["type"] == "topic"
            and (
                name.startswith(acl["resource"]["name"])
                if acl["resource"].get("patternType") == "prefix"
                else name == acl["resource"]["name"]
            )
            for acl in worker["authorization"]["acls"]
        )

    for spec in topic_specs(settings):
        source, internal = spec.name in SOURCES, spec.name.startswith("peakwatch-")
        assert may(spec.name, "Describe"), spec.name
        assert may(spec.name, "Write") is not source, spec.name
        assert may(spec.name, "Read") is (source or internal or spec.name == ALERTS), spec.name
    mechanism = settings.kafka_sasl_mechanism.lower()
    assert {r["spec"]["authentication"]["type"] for r in every(built, "KafkaUser")} == {mechanism}


def test_kafka_listens_where_and_how_workers_ask(built: Found, settings: Settings) -> None:
    kafka = one(built, "Kafka", "*")
    listener = kafka["spec"]["kafka"]["listeners"][0]
    assert settings.kafka_bootstrap == f"{kafka['metadata']['name']}-kafka-bootstrap:{listener['port']}"
    assert listener["tls"] is True
    pools = {r["metadata"]["name"]: r for r in every(built, "KafkaNodePool")}
    assert {r["metadata"]["labels"]["strimzi.io/cluster"] for r in pools.values()} == {kafka["metadata"]["name"]}
    assert pools["broker"]["spec"]["replicas"] >= settings.kafka_replication


def test_clickhouse_is_the_one_that_workers_ask(built: Found, settings: Settings) -> None:
    installation = one(built, "ClickHouseInstallation", "*")
    name, spec = installation["metadata"]["name"], installation["spec"]
    assert [cluster["name"] for cluster in spec["configuration"]["clusters"]] == [settings.clickhouse_cluster]
    assert f"{settings.clickhouse_user}/k8s_secret_password" in spec["configuration"]["users"]
    service = spec["templates"]["serviceTemplates"][0]
    assert service["generateName"].replace("{chi}", name) == settings.clickhouse_host
    assert settings.clickhouse_port in [port["port"] for port in service["spec"]["ports"]]
    assert spec["configuration"]["settings"]["tcp_port_secure"] == settings.clickhouse_port
    keeper = one(built, "ClickHouseKeeperInstallation", "*")
    assert spec["configuration"]["zookeeper"]["nodes"][0]["host"] == f"keeper-{keeper['metadata']['name']}"
    for which in (installation, keeper):
        templates = {t["name"] for kind in which["spec"]["templates"].values() for t in kind}
        assert set(which["spec"]["defaults"]["templates"].values()) <= templates
