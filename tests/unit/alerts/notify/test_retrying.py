"""What follows from a failed try."""

import random

import pytest

from alerts.notify.bundling import Waiting
from alerts.notify.errors import Reason, SendError
from alerts.notify.retrying import MAX_TRIES, after_failure, wait_ms
from schemas.notify import Channel, Secret
from tests.suites.notifier_suite import spike


@pytest.mark.parametrize(
    ("reason", "critical", "other", "what"),
    [
        ("connection", True, "", "retry"), ("busy", False, "b", "retry"),
        ("throttled", False, "b", "retry"), ("throttled", True, "b", "failover"),
        ("unsure", False, "b", "give_up"), ("unsure", True, "b", "failover"), ("unsure", True, "", "give_up"),
        ("denied", False, "b", "failover"), ("denied", False, "", "give_up"), ("quota", False, "b", "failover"),
        ("refused", True, "", "give_up"), ("too_large", True, "", "give_up"), ("bad_answer", True, "", "give_up"),
    ],
)  # fmt: skip
def test_only_what_surely_did_not_arrive_is_tried_again(reason: Reason, critical: bool, other: str, what: str) -> None:
    item = Waiting(spike(severity="critical" if critical else "warning"), "a", 0, attempt=1)
    error = SendError(reason, "", retry_after_ms=600_000 if reason == "throttled" else None)
    assert after_failure(item, error, Channel(name="a", kind="dingtalk", url=Secret("x")), other=other) == what


def test_a_channel_may_ask_for_repeats_where_they_do_no_harm() -> None:
    channel = Channel(name="a", kind="webhook", url=Secret("x"), retry_unsure=True)
    assert after_failure(Waiting(spike(), "a", 0, attempt=1), SendError("unsure", ""), channel, other="") == "retry"


def test_there_is_a_last_try() -> None:
    channel = Channel(name="a", kind="webhook", url=Secret("x"))
    item = Waiting(spike(), "a", 0, attempt=MAX_TRIES)
    assert after_failure(item, SendError("busy", ""), channel, other="b") == "failover"
    assert after_failure(item, SendError("busy", ""), channel, other="") == "give_up"


def test_waits_double_to_a_minute_with_jitter_and_heed_what_was_asked() -> None:
    chance = random.Random(3)
    for tries in range(1, 12):
        whole = min(60_000, 1000 * 2 ** (tries - 1))
        found = {wait_ms(tries, chance) for _ in range(50)}
        assert whole // 2 <= min(found) < max(found) <= whole
    assert wait_ms(1, chance, at_least_ms=600_000) == 600_000
