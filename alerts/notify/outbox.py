"""From a transition to what waits for each channel: mute, route, replace what is older, bundle, escalate.

Pure decisions over the state; nothing is sent here.
"""

from collections.abc import Callable
from typing import Final

from alerts.notify import escalation
from alerts.notify.bundling import Waiting, bundle_of, superseded, transition_of
from alerts.notify.routing import named_in, routes_of, wants
from alerts.notify.shifts import on_call
from alerts.notify.state import Active, State
from schemas.notify import NotifyConfig, Route, Step
from schemas.results import Alert, Delivery

RINGS: Final = frozenset({"escalated", "unmuted", "again"})  # updates that name the people on call again


class Outbox:
    """Takes transitions and time; leaves `state.waiting`."""

    def __init__(self, config: NotifyConfig, state: State, *, phase_roster: Callable[[int], str]) -> None:
        self._config = config
        self._state = state
        self._phase_roster = phase_roster
        self.escalated = 0  # steps that were due so far

    def take(self, alert: Alert, *, now_ms: int) -> list[Delivery]:
        """What a transition changes; the rows of what will not be sent. One that was taken before changes nothing."""
        key = transition_of(alert)
        if key in self._state.told:
            return []
        self._state.told[key] = now_ms
        routes = routes_of(alert, self._config.routes)
        rows = [] if routes else [self._state.row(alert, "", "unrouted", at_ms=now_ms)]
        seen: set[str] = set()
        for route in routes:
            for channel in route.channels:
                if channel in seen or f"{key}|{channel}" in self._state.done:
                    continue
                seen.add(channel)
                if self._config.channels[channel].kind == "alertmanager":
                    rows += self._hold(alert, channel, now_ms)
                else:
                    rows += self._tell(alert, channel, route, now_ms)
        self._watch(alert, routes, now_ms)
        if alert.status == "resolved":
            self._state.heard.pop(alert.alert_id, None)
        return rows

    def escalate(self, *, now_ms: int) -> list[Delivery]:
        """Queue the steps that are due for alerts that nobody has claimed."""
        rows = []
        for state in self._state.unclaimed.values():
            plan = self._config.escalations.get(state.escalation)
            for step in escalation.due(state, plan, now_ms=now_ms) if plan else ():
                state.done += 1
                self.escalated += 1
                names = step.people or self._on_call(step.roster, state, now_ms)
                for channel in self._channels(step, names, state.channels):
                    item = Waiting(
                        state.alert, channel, now_ms, named=list(names),
                        unclaimed_min=max(1, step.after_ms // 60_000),
                    )  # fmt: skip
                    self._state.waiting.append(item)
                if not names:
                    rows.append(self._state.row(state.alert, "", "skipped", at_ms=now_ms, detail="nobody is on call"))
        return rows

    def _tell(self, alert: Alert, channel: str, route: Route, now_ms: int) -> list[Delivery]:
        state = self._state
        muted = alert.evidence.get("muted")
        new = Waiting(alert, channel, now_ms, bundle=bundle_of(alert, route))
        old = superseded(state.waiting, new) if muted is None else self._pending(alert, channel)
        if muted is None and not wants(route, alert) and alert.status != "resolved":
            return [state.row(alert, channel, "skipped", at_ms=now_ms, detail=alert.reason)]
        state.waiting = [one for one in state.waiting if not any(one is gone for gone in old)]
        rows = [state.row(one.alert, channel, "superseded", at_ms=now_ms) for one in old]
        heard = channel in state.heard.get(alert.alert_id, ()) or any(one.attempt for one in old)
        if muted is not None:
            return [*rows, state.row(alert, channel, "muted", at_ms=now_ms, detail=str(muted.get("by", "")))]
        if alert.status == "resolved" and not (heard and route.resolved):
            why = "" if heard else "nobody was told that it fired"
            return [*rows, state.row(alert, channel, "skipped", at_ms=now_ms, detail=why)]
        if alert.severity != "info" and (alert.status == "firing" or alert.reason in RINGS):
            named = named_in(self._config, route, at_ms=now_ms, phase_roster=self._phase_roster(alert.at))
            new.named = list(named)
        if alert.status != "resolved" and "acknowledged" not in alert.evidence:
            new.named = list(dict.fromkeys([*new.named, *(name for one in old for name in one.named)]))
        new.not_before = self._bundle_due(new, route, now_ms)
        state.waiting.append(new)
        return rows

    def _pending(self, alert: Alert, channel: str) -> list[Waiting]:
        return [one for one in self._state.waiting if one.channel == channel and one.alert.alert_id == alert.alert_id]

    def _bundle_due(self, new: Waiting, route: Route, now_ms: int) -> int:
        """A bundle goes out when its first has waited its time."""
        if not new.bundle:
            return now_ms
        peers = [o.not_before for o in self._state.waiting if o.bundle == new.bundle and o.channel == new.channel]
        return min([now_ms + route.bundle_ms, *peers])

    def _hold(self, alert: Alert, channel: str, now_ms: int) -> list[Delivery]:
        """Alertmanager holds alerts instead of being told of them: what it is to hold from now on."""
        held = self._state.active.setdefault(channel, {})
        old = held.get(alert.alert_id)
        if "muted" in alert.evidence and alert.status != "resolved":
            if old is not None:
                old.ended, old.sent_ms = [*old.ended, old.alert], 0
                old.alert = alert
            by = str(alert.evidence["muted"].get("by", ""))
            return [self._state.row(alert, channel, "muted", at_ms=now_ms, detail=by)]
        if old is None and alert.status == "resolved":
            return [self._state.row(alert, channel, "skipped", at_ms=now_ms, detail="it does not hold the alert")]
        ended = old.ended if old is not None else []
        was_held = old is not None and "muted" not in old.alert.evidence
        if old is not None and was_held and (old.alert.severity, old.alert.labels) != (alert.severity, alert.labels):
            ended = [*ended, old.alert]
        held[alert.alert_id] = Active(alert, ended=ended)
        return []

    def _watch(self, alert: Alert, routes: tuple[Route, ...], now_ms: int) -> None:
        states = self._state.unclaimed
        route = next((one for one in routes if one.escalation), None)
        channels = [one for one in (route.channels if route else ()) if not self._is_alertmanager(one)]
        new = escalation.after(
            states, alert, now_ms=now_ms, escalation=route.escalation if route else "", channels=channels,
            roster=route.roster if route else "",
        )  # fmt: skip
        if new is None:
            states.pop(alert.alert_id, None)
        else:
            states[alert.alert_id] = new

    def _on_call(self, name: str, state: escalation.Unclaimed, now_ms: int) -> tuple[str, ...]:
        """Of a step's roster; the roster that stands in for the route's own in a phase does so in its steps, too."""
        instead = self._phase_roster(state.alert.at) if name == state.roster else ""
        return on_call(self._config.rosters.get(instead) or self._config.rosters[name], now_ms)

    def _channels(self, step: Step, names: tuple[str, ...], routed: list[str]) -> list[str]:
        own = [channel for name in names for channel in self._config.people[name].channels]
        found = dict.fromkeys([*(step.channels or routed), *own])
        return [one for one in found if one in self._config.channels and not self._is_alertmanager(one)]

    def _is_alertmanager(self, channel: str) -> bool:
        found = self._config.channels.get(channel)
        return found is not None and found.kind == "alertmanager"
