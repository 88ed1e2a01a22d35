"""The parts of deploy/kubernetes that follow from elsewhere: topics from the worker's, rules from deploy/prometheus.

`python scripts/kubernetes.py` writes them; `--check` tells which would change, with status 1.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agents.app import topic_specs  # noqa: E402
from schemas.settings import read_settings  # noqa: E402

FOLDER: Final = ROOT / "deploy" / "kubernetes"
RULES: Final = ("recording.rules.yml", "alerts.rules.yml")


def main() -> int:
    """Write, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    stale = 0
    for name, documents in (("kafka/topics.yaml", topics()), ("workers/rules.yaml", [rules()])):
        path = FOLDER / name
        text = "# Written by scripts/kubernetes.py.\n" + yaml.safe_dump_all(documents, sort_keys=False, width=120)
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"{path.relative_to(ROOT)}: not what scripts/kubernetes.py writes", file=sys.stderr)
        else:
            path.write_text(text, "utf-8")
    return int(check and stale > 0)


def topics() -> list[dict[str, Any]]:
    """One resource a topic, as the settings there say."""
    workers = yaml.safe_load((FOLDER / "workers" / "kustomization.yaml").read_text("utf-8"))
    literals = workers["configMapGenerator"][0]["literals"]
    settings = read_settings(None, dict(one.split("=", 1) for one in literals))
    return [
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaTopic",
            "metadata": {"name": spec.name, "labels": {"strimzi.io/cluster": "peakwatch"}},
            "spec": {"partitions": spec.partitions, "replicas": spec.replication, "config": dict(spec.config)},
        }
        for spec in topic_specs(settings)
    ]


def rules() -> dict[str, Any]:
    """The rules as the Prometheus operator takes them."""
    folder = ROOT / "deploy" / "prometheus"
    groups = [group for name in RULES for group in yaml.safe_load((folder / name).read_text("utf-8"))["groups"]]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "peakwatch"},
        "spec": {"groups": groups},
    }


if __name__ == "__main__":
    sys.exit(main())
