"""notify.yaml from disk, checked as far as one can without sending anything."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from alerts.notify.message import Templates
from alerts.notify.senders import check_addresses
from schemas.errors import ConfigError
from schemas.notify import NotifyConfig
from schemas.notify_read import parse_notify
from schemas.results import Alert
from schemas.yaml import load_yaml

_AT: Final = 1_762_790_400_000


def load_notify(path: Path, *, environment: Mapping[str, str]) -> NotifyConfig:
    """The file's configuration; its folder of templates is taken from where the file lies.

    `environment`: NO_SECRETS for a rehearsal, which needs no addresses that are any good.

    ConfigError holds every mistake; no mistake shows a secret.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from None
    config = parse_notify(load_yaml(text, str(path)), source=str(path), environment=environment)
    if environment is not NO_SECRETS:
        check_addresses(config, source=str(path))
    if config.templates:
        folder = path.parent / config.templates
        if not folder.is_dir():
            raise ConfigError([f"{path}: templates: {config.templates!r} is no folder"])
        config = replace(config, templates=str(folder))
        Templates(config.templates).check(samples(), tuple(config.channels.values()))
    return config


class _NoSecrets(Mapping[str, str]):
    """An environment that has an address for every name."""

    def __getitem__(self, name: str) -> str:
        return "https://rehearsal.invalid"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


NO_SECRETS: Final[Mapping[str, str]] = _NoSecrets()


def samples() -> tuple[Alert, ...]:
    """An alert of each shape, to try templates with; the figures mean nothing."""
    spike: dict[str, Any] = {
        "window_seconds": 300, "count": 100, "negative": 40, "texts": ["…"], "keywords": ["…"], "emerging": ["…"],
        "aspects": [{"name": "logistics", "share": 0.5}],
        "contributions": [{"dimension": "region", "value": "…", "observed": 9.0, "expected": 1.0,
                           "share_of_excess": 0.5}],
        "phase": "…", "owner": "…", "runbook": "https://example.com/", "notes": [{"text": "…"}],
        "acknowledged": {"who": "…", "at": _AT},
    }  # fmt: skip
    here = {"dimension": "category", "value": "…"}
    ticket = {"ticket_id": "T", "clock": "resolution", "policy": "p"}
    storm = {"storm": True, "count": 3, "window_seconds": 600, "by_severity": {"critical": 3},
             "worst": [{"rule": "r", "labels": here}]}  # fmt: skip
    base = Alert(
        alert_id="sample", rule="sample", kind="negative_spike", status="firing", severity="critical", at=_AT,
        starts_at=_AT - 60_000, ends_at=None, labels=here, value=0.4, baseline=0.1, peak=None, summary="",
        evidence=spike, reason="",
    )  # fmt: skip
    return (
        base,
        base._replace(kind="complaint_spike", value=None, baseline=None, status="resolved", ends_at=_AT, evidence={}),
        base._replace(kind="sla_breach", labels=ticket, evidence={"target_ms": 60_000, "queue": "…"}),
        base._replace(kind="feed_silent", labels={"topic": "reviews", "channel": "app"}, evidence={"expected": 5.0}),
        base._replace(kind="threshold", labels={"storm": "alerts"}, evidence=storm),
    )
