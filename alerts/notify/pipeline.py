"""The notifier: transitions in, messages out, a row in the delivery log for whatever became of each.

In order: take (`outbox.py`: told before? muted? whom does it concern?), plan (`bundling.py` within `budget.py`),
compose (`message.py`), send (one file a channel), and what follows from a failure (`retrying.py`).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import aiohttp
import msgspec

from alerts.notify import escalation
from alerts.notify.alertmanager import Alertmanager
from alerts.notify.budget import Budget
from alerts.notify.bundling import Batch, Waiting, plan, transition_of
from alerts.notify.errors import SendError
from alerts.notify.figures import Counts, NotifierSnapshot
from alerts.notify.holding import Holding
from alerts.notify.message import BRIEFEST, Message, Templates, compose, shorten
from alerts.notify.outbox import Outbox
from alerts.notify.retrying import after_failure, wait_ms
from alerts.notify.routing import routes_of
from alerts.notify.senders import Sender, sender_of
from alerts.notify.state import FINAL, State, load_state
from schemas.instants import Clock
from schemas.notify import Channel, NotifyConfig
from schemas.results import Alert, Delivery

Record = Callable[[Sequence[Delivery]], Awaitable[object]]


class Notifier:
    """Tells people of alerts, each transition once. One event loop; `record` gets the delivery log's rows.

    `senders`, by channel, go before those that send over `http`: one of both is needed.
    """

    def __init__(
        self, config: NotifyConfig, *, clock: Clock, record: Record, http: aiohttp.ClientSession | None = None,
        senders: Mapping[str, Sender] | None = None, chance: random.Random | None = None,
        phase_roster: Callable[[int], str] = lambda _: "",
    ) -> None:  # fmt: skip
        self._config = config
        self._clock = clock
        self._record = record
        self._chance = chance or random.Random()
        self._phase_roster = phase_roster
        self._shipped = Templates()
        self._templates = Templates(config.templates) if config.templates else self._shipped
        self._senders = dict(_over(config, http) if senders is None else senders)
        self._counts = Counts()
        self._streak = dict.fromkeys(config.channels, 0)  # failures on the line, one after the other
        self._unwritten: list[Delivery] = []  # rows that the log has not taken yet
        self._lock = asyncio.Lock()
        self._start(State())

    async def notify(self, alert: Alert) -> None:
        """Tell of a transition, or note why not; one that was told before is not told again.

        Returns when the first try is over; what has to wait goes out with `tick`.
        """
        async with self._lock:
            now_ms = self._clock.now_ms()
            rows = self._outbox.take(alert, now_ms=now_ms)
            await self._flush(now_ms, rows)

    async def tick(self, now_ms: int) -> bool:
        """Retries, bundles, digests, escalation and Alertmanager's resends that are due; about once a second.

        Whether there is something new that a restart must know, lest it be told again.
        """
        async with self._lock:
            rows = self._outbox.escalate(now_ms=now_ms)
            self._state.forget(now_ms)
            await self._flush(now_ms, rows)
            return bool(rows)

    def held(self, now_ms: int) -> frozenset[str]:
        """What is due and may not go out yet, as `transition|channel`."""
        return frozenset(
            f"{transition_of(one.alert)}|{one.channel}" for one in self._state.waiting if one.not_before <= now_ms
        )

    def next_ms(self, now_ms: int) -> int | None:
        """When `tick` has something to do if nothing new comes: a bundle, a retry, a token, a step of an escalation.

        Alertmanager's resends are left out.
        """
        dues = [
            max(one.not_before, self._budgets[one.channel].opens_at(now_ms, critical=one.critical))
            for one in self._state.waiting
        ]
        for one in self._state.unclaimed.values():
            plan = self._config.escalations.get(one.escalation)
            due = escalation.next_ms(one, plan) if plan else None
            dues += [due] if due is not None else []
        return min(dues, default=None)

    def dump(self) -> dict[str, Any]:
        """All that has to survive a restart, as values that JSON and msgpack know."""
        self._state.budgets |= {name: one.dump() for name, one in self._budgets.items()}
        dumped: dict[str, Any] = msgspec.to_builtins(self._state)
        return dumped

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Go on from what `dump` gave, also under another configuration: a channel that is gone hands over."""
        state = load_state(dumped)
        for item in state.waiting:
            if item.channel not in self._config.channels:
                routes = routes_of(item.alert, self._config.routes)
                item.channel = routes[0].channels[0] if routes and routes[0].channels else ""
                item.attempt, item.not_before = 0, 0
        state.waiting = [one for one in state.waiting if one.channel in self._config.channels]
        self._start(state)

    def remember(self, rows: Iterable[Delivery]) -> None:
        """Learn from the delivery log what went out after the last dump, so that it is not sent again."""
        for row in rows:
            place = f"{row.alert_id}|{row.alert_at}|{row.status}|{row.channel}"
            self._state.rows[place] = max(row.attempt, self._state.rows.get(place, 0))
            if row.outcome not in FINAL:
                continue
            self._state.done[place] = row.at
            if row.outcome == "sent" and row.status != "resolved":
                self._heard(row.alert_id, row.channel)
        done = self._state.done
        self._state.waiting = [
            one for one in self._state.waiting
            if one.unclaimed_min or f"{transition_of(one.alert)}|{one.channel}" not in done
        ]  # fmt: skip

    def figures(self, now_ms: int | None = None) -> NotifierSnapshot:
        """How it stands, for metrics; `now_ms`: left out, the clock's."""
        at_ms = self._clock.now_ms() if now_ms is None else now_ms
        waiting, counts = self._state.waiting, self._counts
        return NotifierSnapshot(
            channels={
                name: counts.of(channel, self._budgets[name], waiting, at_ms)
                for name, channel in self._config.channels.items()
            },
            unrouted=counts.outcomes["", "unrouted"], unclaimed=len(self._state.unclaimed),
            escalated=self._outbox.escalated, unwritten=len(self._unwritten),
        )  # fmt: skip

    def _start(self, state: State) -> None:
        self._state = state
        self._budgets = {name: Budget(one, zone=self._config.timezone) for name, one in self._config.channels.items()}
        for name in self._budgets.keys() & state.budgets.keys():
            self._budgets[name].load(state.budgets[name])
        self._outbox = Outbox(self._config, state, phase_roster=self._phase_roster)
        self._holdings = [
            Holding(sender, self._budgets[name], state, self._chance)
            for name, sender in self._senders.items() if isinstance(sender, Alertmanager)
        ]  # fmt: skip

    async def _flush(self, now_ms: int, rows: list[Delivery]) -> None:
        """Send what may go out now, over all channels at one time; then write the log."""
        for _ in range(1 + len(self._senders)):  # a message that fails over is tried at once on the next channel
            ready = {one.channel for one in self._state.waiting if one.not_before <= now_ms}
            sent = await asyncio.gather(*(self._drain(name, now_ms) for name in sorted(ready)))
            rows += [row for found in sent for row in found]
            if not any(sent):
                break
        held = await asyncio.gather(*(
            one.send_due(now_ms=now_ms, clock=self._clock, message_of=self._message_for(one)) for one in self._holdings
        ))  # fmt: skip
        rows += [row for found in held for row in found]
        self._unwritten += rows
        self._counts.log(rows)
        if self._unwritten:
            await self._record(tuple(self._unwritten))
            self._unwritten.clear()

    async def _drain(self, name: str, now_ms: int) -> list[Delivery]:
        """What one channel may be sent now."""
        channel, budget = self._config.channels[name], self._budgets[name]
        rows: list[Delivery] = []
        free, free_critical = (budget.free(now_ms, critical=one) for one in (False, True))
        if not free_critical and not channel.failover:
            return rows
        mine = [one for one in self._state.waiting if one.channel == name]
        for batch in plan(mine, now_ms=now_ms, free=free, free_critical=free_critical):
            if self._clock.now_ms() < budget.shut_until:
                break
            rows += await self._deliver(batch, channel, now_ms)
        if not budget.free(now_ms, critical=True):
            for item in [one for one in self._state.waiting if one.channel == name and one.not_before <= now_ms]:
                other = self._other(item, channel)
                used_up = channel.monthly_quota is not None and budget.month(now_ms)[0] >= channel.monthly_quota
                if other and (item.critical or used_up):
                    rows.append(self._fail_over(item, other, "no token left", now_ms))
        return rows

    async def _deliver(self, batch: Batch, channel: Channel, now_ms: int) -> list[Delivery]:
        """Send one message; the rows of all that is in it."""
        budget, began = self._budgets[channel.name], self._clock.now_ms()
        try:
            message, detail = self._compose(batch, channel, now_ms)
            budget.spend(began)
            await self._senders[channel.name].send(message, now_ms=began)
        except SendError as error:
            return self._failed(batch, channel, error, now_ms=now_ms, took_ms=self._clock.now_ms() - began)
        except Exception as error:  # noqa: BLE001 - one message that we cannot send must not hold up all others
            broken = SendError("broken", type(error).__name__)
            return self._failed(batch, channel, broken, now_ms=now_ms, took_ms=self._clock.now_ms() - began)
        took = self._clock.now_ms() - began
        self._counts.took(channel.name, items=len(batch.items))
        self._streak[channel.name] = 0
        self._drop(batch.items)
        for item in batch.items:
            if item.alert.status != "resolved":
                self._heard(item.alert.alert_id, channel.name)
        return [
            self._state.row(one.alert, channel.name, "sent", at_ms=began, duration_ms=took, detail=detail)
            for one in batch.items
        ]

    def _failed(self, batch: Batch, channel: Channel, error: SendError, *, now_ms: int, took_ms: int) -> list[Delivery]:
        budget = self._budgets[channel.name]
        on_line = error.reason in ("throttled", "connection", "unsure")
        self._streak[channel.name] += on_line
        tries = max(self._streak[channel.name], *(one.attempt + 1 for one in batch.items))
        pause = wait_ms(tries, self._chance, at_least_ms=error.retry_after_ms)
        if error.reason == "quota":
            budget.use_up(now_ms)
        elif on_line:  # the next message would fare no better
            budget.shut(now_ms + pause)
        rows = []
        for item in batch.items:
            item.attempt += 1
            other = self._other(item, channel)
            what = after_failure(item, error, channel, other=other)
            if what == "failover":
                rows.append(self._fail_over(item, other, str(error), now_ms, took_ms))
                continue
            outcome = "retry" if what == "retry" else "unsure" if error.reason == "unsure" else "failed"
            item.not_before = now_ms + pause
            if what == "give_up":
                self._drop((item,))
            row = self._state.row(
                item.alert, channel.name, outcome, at_ms=now_ms, duration_ms=took_ms, detail=str(error)
            )
            rows.append(row)
        return rows

    def _fail_over(self, item: Waiting, other: str, why: str, now_ms: int, took_ms: int = 0) -> Delivery:
        row = self._state.row(
            item.alert, item.channel, "failover", at_ms=now_ms, duration_ms=took_ms, detail=f"to {other}: {why}"
        )
        item.tried = [*item.tried, item.channel]
        item.channel, item.attempt, item.not_before = other, 0, now_ms
        return row

    def _other(self, item: Waiting, channel: Channel) -> str:
        """The next channel for a message that this one does not take: not tried yet, nor told by its own route."""
        key, waiting = transition_of(item.alert), self._state.waiting
        there = {
            one.channel for one in waiting
            if transition_of(one.alert) == key and one.unclaimed_min == item.unclaimed_min
        }  # fmt: skip
        told = set() if item.unclaimed_min else {n for n in channel.failover if f"{key}|{n}" in self._state.done}
        return next((name for name in channel.failover if name not in there | told | {*item.tried}), "")

    def _compose(self, batch: Batch, channel: Channel, now_ms: int) -> tuple[Message, str]:
        """The message, as long as the channel takes it; and what to note of it."""
        names = dict.fromkeys(name for one in batch.items for name in one.named)
        mentions = [self._config.people[name] for name in names if name in self._config.people]
        unclaimed = batch.items[0].unclaimed_min if len(batch.items) == 1 else 0
        note = f"one of {len(batch.items)} in one message" if len(batch.items) > 1 else ""
        # A step of the escalation and news may meet in one digest: they are one alert.
        alerts = list({transition_of(one.alert): one.alert for one in batch.items}.values())

        def attempt(templates: Templates, brief: int) -> Message:
            return compose(
                templates, channel, alerts, now_ms=now_ms, links=self._config.links,
                mentions=mentions, brief=brief, unclaimed_min=unclaimed,
            )  # fmt: skip

        templates = self._templates
        try:
            message = attempt(templates, 0)
        except SendError as error:
            if templates is self._shipped:
                raise
            templates, note = self._shipped, f"{error}; the one that ships was used"
            message = attempt(templates, 0)
        sender = self._senders[channel.name]
        for brief in range(1, BRIEFEST + 1):
            if sender.fits(message):
                break
            message = attempt(templates, brief)
        size = channel.max_bytes
        while not sender.fits(message) and size > 64:
            size //= 2
            message = message._replace(body=shorten(message.body, size))
        return message._replace(unclaimed_min=max(one.unclaimed_min for one in batch.items)), note

    def _message_for(self, holding: Holding) -> Callable[[Alert], Message]:
        return lambda alert: compose(
            self._shipped, holding.channel, [alert], now_ms=self._clock.now_ms(), links=self._config.links
        )

    def _heard(self, alert_id: str, channel: str) -> None:
        heard = self._state.heard.setdefault(alert_id, [])
        if channel not in heard:
            heard.append(channel)

    def _drop(self, items: Sequence[Waiting]) -> None:
        gone = {id(one) for one in items}
        self._state.waiting = [one for one in self._state.waiting if id(one) not in gone]


def _over(config: NotifyConfig, http: aiohttp.ClientSession | None) -> dict[str, Sender]:
    if http is None:
        raise TypeError("a notifier needs senders, or a session to send over")
    return {name: sender_of(one, http) for name, one in config.channels.items()}
