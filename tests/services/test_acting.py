"""Acting on alerts with everything real: the command, a worker, a broker and a store; a hook stands for the people."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from embedded import kafka
from peakwatch import stores
from storage.grounds import Grounds
from tests.parity.arena import ROOT, Arena
from tests.parity.evening import Message

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]

RULES: Final = """
rules:
  - {name: many-complaints, kind: threshold, figure: complaints, above: 5, severity: critical, dimensions: [category],
     window_seconds: 300}
  - {name: breach, kind: sla_breach}
policies:
  - {name: quick, clock: first_response, target: 5s}
"""
NOTIFY: Final = """
people:
  - {name: 王芳}
  - {name: 李雷}
channels:
  - {name: hook, kind: webhook, url: "http://127.0.0.1:%d/", per_minute: 600}
escalations:
  - name: care
    steps: [{after: 4s, people: [王芳]}, {after: 14s, people: [李雷]}]
routes:
  - {channels: [hook], escalation: care}
"""


class Hook:
    """Whoever is told."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.messages.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on standard error."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, category: str) -> list[dict[str, Any]]:
        return [one for one in self.messages if any(a["labels"].get("value") == category for a in one["alerts"])]

    def mentioned(self, category: str) -> list[str]:
        return [name for one in self.about(category) for name in one["mentions"]]


class Office:
    """An installation, its people, and the command that they type."""

    def __init__(self, arena: Arena, hook: Hook) -> None:
        self.arena = arena
        self.hook = hook
        self.events = 0

    def complain(self, category: str, count: int) -> None:
        """So many complaints of a category, now, and one more a little later, so that event time goes on."""
        now_ms = time.time_ns() // 1_000_000
        messages = []
        for number in range(count + 1):
            self.events += 1
            at = now_ms - 40_000 if number < count else now_ms
            event = {
                "event_id": f"k{self.events}", "event_time": at, "complaint_id": f"k{self.events}",
                "reason": "quality", "text": "坏了", "category": category if number < count else "其他",
            }  # fmt: skip
            messages.append(Message(at, "complaints", event["complaint_id"], json.dumps(event).encode()))  # type: ignore[arg-type]
        self.arena.feed(messages)

    def open_ticket(self, name: str) -> None:
        """Half a minute ago, and nobody answers."""
        now_ms = time.time_ns() // 1_000_000
        event = {"event_id": name, "event_time": now_ms - 30_000, "ticket_id": name, "action": "created"}
        self.arena.feed([Message(now_ms, "tickets", name, json.dumps(event).encode())])

    def alerts(self, *words: str, status: int = 0, **environment: str) -> Any:
        """What the command answers."""
        done = subprocess.run(
            [sys.executable, "-m", "peakwatch.cli", "alerts", *words, "--json"],
            env={**self.arena.environment, "USER": "li", **environment}, cwd=ROOT, capture_output=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == status, done.stderr.decode() + self.arena.last_words()
        return json.loads(done.stdout) if done.stdout else done.stderr.decode()

    def firing(self, category: str) -> str:
        """The id of the category's alert, once it fires."""
        self.until(lambda: self._ids(category) != [], f"an alert about {category}")
        return self._ids(category)[0]

    def _ids(self, category: str) -> list[str]:
        return [one[0] for one in self.arena.rows(
            f"SELECT DISTINCT alert_id FROM {{db}}.alerts WHERE labels['value'] = '{category}'"
        )]  # fmt: skip

    def until(self, holds: Callable[[], bool], what: str, *, within_s: float = 60) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"not seen: {what}\n{self.hook.messages}\n{self.arena.last_words()}")
            time.sleep(0.2)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("acting")
    hook = Hook()
    with kafka.start() as server, contextlib.closing(Arena(server.bootstrap, folder)) as arena:
        (folder / "rules.yaml").write_text(RULES, "utf-8")
        (folder / "notify.yaml").write_text(NOTIFY % hook.server.server_address[1], "utf-8")
        arena.environment |= {
            "PEAKWATCH_RULES": str(folder / "rules.yaml"), "PEAKWATCH_NOTIFY": str(folder / "notify.yaml"),
            "PEAKWATCH_IDLE": "2s", "PEAKWATCH_SLA_HOLD": "1s", "PEAKWATCH_GROUP": f"acting-{os.getpid()}",
        }  # fmt: skip
        arena.start()
        yield Office(arena, hook)
    hook.server.shutdown()
    hook.server.server_close()


def test_who_acknowledges_an_alert_is_kept_and_nobody_else_is_called(office: Office) -> None:
    office.complain("手机", 8)
    alert_id = office.firing("手机")
    office.until(lambda: "王芳" in office.hook.mentioned("手机"), "the first step of the escalation")
    (done,) = office.alerts("ack", alert_id[:8], "--note", "已联系仓库")["actions"]
    assert (done["taken"], done["refused"], done["who"]) == (True, "", "li")
    time.sleep(14)  # the second step was due 14 s after the first word
    assert "李雷" not in office.hook.mentioned("手机")
    (row,) = office.arena.rows(
        f"SELECT actor, action, comment FROM {{db}}.alert_actions_v WHERE alert_id = '{alert_id}'"
    )
    assert row == ("li", "acknowledge", "已联系仓库")
    (state,) = office.arena.rows(f"SELECT state FROM {{db}}.alerts_v WHERE alert_id = '{alert_id}'")
    assert state == ("acknowledged",)
    shown = office.alerts("show", alert_id)
    assert shown["alert"]["state"] == "acknowledged"
    assert [one["reason"] for one in shown["transitions"]][-1] == "acknowledged"
    assert {one["outcome"] for one in shown["deliveries"]} >= {"sent"}


def test_a_decision_is_recomputed_from_the_stored_rows(office: Office) -> None:
    alert_id = office.firing("手机")
    why = office.alerts("explain", alert_id)
    assert why["agrees"] is True
    assert (why["checks"][0]["said"], why["checks"][0]["found"]) == (8.0, 8.0)
    assert [one["action"] for one in why["actions"]] == ["acknowledge"]
    office.open_ticket("t1")
    breached = "SELECT DISTINCT alert_id FROM {db}.alerts WHERE kind = 'sla_breach'"
    office.until(lambda: office.arena.rows(breached) != [], "a breach")
    why = office.alerts("explain", office.arena.rows(breached)[0][0])
    assert [(one["what"], one["agrees"]) for one in why["checks"]] == [
        ("line of the ledger", True),
        ("recomputed", True),
    ]
    clocks = "SELECT ticket_id, clock, target_ms, due_at IS NOT NULL FROM {db}.sla_clocks_v"
    assert office.arena.rows(clocks) == [("t1", "first_response", 5_000, 1)]


def test_every_question_about_rows_is_one_that_the_store_understands(office: Office) -> None:
    client = stores.clickhouse(office.arena.settings)
    grounds = Grounds(client, database=office.arena.settings.clickhouse_database)
    now_ms = time.time_ns() // 1_000_000
    span: dict[str, Any] = {"begin": now_ms - 3_600_000, "end": now_ms + 1}
    try:
        assert len(grounds.complaints({"category": "手机"}, **span)) == 8
        assert grounds.reviews({"category": "手机", "region": ""}, **span) == []
        assert grounds.orders({}, **span) == 0
        assert grounds.complaints({"category": "手机"}, **span, by={"nobody"}) == []
        assert grounds.feed("complaints", "*", **span)[0] >= 8
        assert grounds.feed("complaints", "app", **span) == (0, None)
        assert grounds.breached(queue="", clock="first_response", **span) == 1
        assert grounds.fired(**span) >= 1
        assert grounds.window(seconds=60, dimension="category", value="?", at_ms=now_ms) is None
    finally:
        client.close()


def test_an_action_that_does_nothing_says_why(office: Office) -> None:
    said = office.alerts("resolve", "0" * 20, "--by", "王芳", status=1)
    assert said["actions"][0]["refused"].startswith("there is no alert 000")
    assert "no alert whose id begins with ffff" in office.alerts("resolve", "ffff", status=1)


def test_a_silence_keeps_the_people_from_being_told_until_it_is_ended(office: Office) -> None:
    (begun,) = office.alerts("silence", "value=服装", "--for", "1h", "--reason", "盘点")["actions"]
    office.complain("服装", 8)
    alert_id = office.firing("服装")
    (silence,) = office.alerts("silences")["silences"]
    assert (silence["silence_id"], silence["matchers"], silence["who"]) == (
        begun["action_id"],
        {"value": ["服装"]},
        "li",
    )
    outcomes = f"SELECT DISTINCT outcome FROM {{db}}.deliveries WHERE alert_id = '{alert_id}'"
    office.until(lambda: office.arena.rows(outcomes) == [("muted",)], "that nobody is told, in the log")
    assert office.hook.about("服装") == []
    office.alerts("unsilence", begun["action_id"])
    office.until(lambda: office.hook.about("服装") != [], "the alert, once the silence is over")
    assert office.alerts("silences")["silences"] == []


def test_a_kill_between_an_action_and_the_snapshot_changes_nothing(office: Office) -> None:
    """The action stands in the log that the decisions are made by: whoever takes over reads it at the same place."""
    office.complain("水果", 8)
    alert_id = office.firing("水果")
    office.alerts("snooze", alert_id, "--for", "2h")
    victim = office.arena.running[0]
    victim.kill()
    victim.wait()
    told = len(office.hook.about("水果"))
    office.arena.start()
    (done,) = office.alerts("false-alarm", alert_id, "--reason", "测试订单", "--wait", "60s")["actions"]
    assert (done["taken"], done["refused"]) == (True, "")
    story = office.alerts("show", alert_id)
    said = [(one["status"], one.get("reason", "")) for one in story["transitions"]]
    assert said == [("firing", ""), ("updated", "snoozed"), ("resolved", "false_alarm")]
    assert [one["action"] for one in story["actions"]] == ["snooze", "false_alarm"]
    assert len(office.hook.about("水果")) <= told + 1  # the end may be told, nothing else again


def test_who_called_an_alert_false_teaches_the_judge(office: Office) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "peakwatch.cli", "alerts", "labels"],
        env=office.arena.environment, cwd=ROOT, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    # Its texts were complaints, which are true whether their alert was or not.
    assert done.stderr.decode() == "peakwatch: 0 neutral labels of 1 false alarm\n"


def test_changed_rules_count_at_once_and_drop_nothing_that_runs(office: Office) -> None:
    """A mistake changes nothing and is told in one line; then the rules change, and the worker is killed."""
    office.complain("家电", 8)
    alert_id = office.firing("家电")
    rules = office.arena.folder / "rules.yaml"
    rules.write_text(RULES.replace("above: 5", "abuve: 5, above: much"), "utf-8")
    office.until(lambda: "is refused" in office.arena.last_words(), "a word on the mistake")
    (line,) = [one for one in office.arena.last_words().splitlines() if "is refused" in one]
    assert "abuve" in line
    assert "much" in line
    rules.write_text(RULES.replace("above: 5", "above: 3").replace("[category]", "[category, channel]"), "utf-8")
    office.until(lambda: "is in force, after" in office.arena.last_words(), "a word on the change")
    office.complain("食品", 4)
    office.firing("食品")
    said = [one["status"] for one in office.alerts("show", alert_id)["transitions"]]
    assert said[0] == "firing"
    assert "resolved" not in said
    victim = office.arena.running[0]
    victim.kill()
    victim.wait()
    office.arena.start()
    office.complain("图书", 4)
    office.firing("图书")  # by the new rules still
    assert "made by configuration" not in office.arena.last_words()
