"""What the notifier is about, channel by channel: as many as the configuration names."""

from collections.abc import Iterable
from typing import Final

from prometheus_client.core import Metric

from agents.metrics.families import counter, gauge
from alerts.notify.figures import NotifierSnapshot

OUTCOMES: Final = ("sent", "failed", "unsure", "retried", "failed_over", "muted", "superseded")


def notice_families(now: NotifierSnapshot) -> Iterable[Metric]:
    """The notifier's figures."""
    channel = ("channel",)
    named = sorted(now.channels.items())
    outcomes = [((name, outcome), getattr(one, outcome)) for name, one in named for outcome in OUTCOMES]
    yield counter("notices", "What became of transitions on their way to people", ("channel", "outcome"), outcomes)
    for name, text in (
        ("messages", "Messages that the channel took; several transitions may share one"),
        ("digests", "Messages, of those, that told of several alerts"),
    ):
        yield counter(f"notice_{name}", text, channel, [((key,), getattr(one, name)) for key, one in named])
    waiting = [((key,), one.waiting) for key, one in named]
    yield gauge("notices_waiting", "Transitions that were not told yet, for whatever reason", channel, waiting)
    held = [((key,), one.held_back) for key, one in named]
    yield gauge("notices_held_back", "Transitions that are due and may not go out", channel, held)
    oldest = [((key,), one.oldest_held_ms / 1000) for key, one in named]
    yield gauge("notice_oldest_held_seconds", "For how long the oldest of them has been due", channel, oldest)
    shut = [((key,), one.shut_ms / 1000) for key, one in named]
    yield gauge("notice_shut_seconds", "For how long nothing may go out on the channel", channel, shut)
    tokens = [((key,), one.tokens_left) for key, one in named if one.tokens_left is not None]
    yield gauge("notice_budget_messages", "Messages that may go out now if critical", channel, tokens)
    for name, text, value in (
        ("notices_unrouted", "Transitions that no route took", now.unrouted),
        ("notice_escalations", "Steps of escalations that were due", now.escalated),
    ):
        yield counter(name, text, (), [((), value)])
    for name, text, value in (
        ("alerts_unclaimed", "Alerts with an escalation that nobody has claimed", now.unclaimed),
        ("notice_unwritten_rows", "Rows that the delivery log has not taken yet", now.unwritten),
    ):
        yield gauge(name, text, (), [((), value)])
