"""What counts as the same alert under other rules."""

from typing import Any

from peakwatch.rehearsal.compare import longest, match
from peakwatch.rehearsal.incidents import Incident
from peakwatch.rehearsal.report import Night
from peakwatch.rehearsal.show import Table, cells, plain
from schemas.rules import SpikeRule

MINUTE = 60_000
AT = 1_794_326_400_000
NIGHT = Night(0, 420, "Asia/Shanghai")


def incident(at: int, *, lasted: int | None = 10, value: str = "手机", **changes: Any) -> Incident:
    """`at` and `lasted` in minutes."""
    values: dict[str, Any] = {
        "alert_id": f"{at}{value}", "rule": "r", "kind": "negative_spike",
        "labels": {"dimension": "+".join(("category", "region")[: value.count("|") + 1]), "value": value},
        "fired_at": AT + at * MINUTE, "ended_at": None if lasted is None else AT + (at + lasted) * MINUTE,
        "severity": "warning", "summary": "", "muted": False,
    }  # fmt: skip
    return Incident(**(values | changes))


def matched(first: list[Incident], second: list[Incident], **rule: Any) -> tuple[int, int, int]:
    found = match(first, second, rules=[SpikeRule(name="r", kind="negative_spike", **rule)])
    return len(found.both), len(found.only_first), len(found.only_second)


def test_one_place_at_about_one_time_is_one_alert() -> None:
    assert matched([incident(20)], [incident(0)]) == (1, 0, 0)
    assert matched([incident(31)], [incident(0)]) == (0, 1, 1)
    assert matched([incident(50)], [incident(0, lasted=60)]) == (1, 0, 0)
    assert matched([incident(500)], [incident(0, lasted=None)]) == (1, 0, 0)
    assert matched([incident(0)], [incident(0, value="家电")]) == (0, 1, 1)


def test_a_second_firing_finds_no_partner_that_has_one() -> None:
    labels = {"dimension": "all", "value": ""}
    first, second = (incident(at, kind="threshold", labels=labels) for at in (0, 5))
    assert matched([first, second], [incident(1, kind="threshold", labels=labels)]) == (1, 1, 0)


def test_a_wider_or_narrower_slice_of_one_spike_is_not_gone() -> None:
    children = [incident(0, value="手机|华东"), incident(2, value="手机|华北")]
    assert matched([incident(5)], children) == (2, 0, 0)
    assert matched(children, [incident(5)]) == (2, 0, 0)
    assert matched([incident(5, value="手机|华东")], [incident(0, value="手机|华北")]) == (0, 1, 1)


def test_a_rule_by_another_name_tells_of_the_same_but_two_rules_of_both_files_do_not() -> None:
    assert matched([incident(0)], [incident(0, rule="old")]) == (1, 0, 0)
    both = [incident(0), incident(600, rule="old")]
    assert matched([incident(0, rule="old"), incident(900)], both) == (0, 2, 2)


def test_labels_that_a_rule_sets_itself_and_the_policy_do_not_tell_alerts_apart() -> None:
    said = {"dimension": "category", "value": "手机", "team": "a", "policy": "p"}
    assert matched([incident(0, labels=said)], [incident(0)], labels={"team": "a"}) == (1, 0, 0)


def test_what_lasted_longest_is_named_first_and_what_still_fires_lasts_to_the_end() -> None:
    found = longest([incident(0), incident(5, lasted=None), incident(9, lasted=30)], NIGHT, AT + 60 * MINUTE)
    assert [one.lasted_ms // MINUTE for one in found] == [55, 30, 10]
    assert found[0].fired_at == "2026-11-11T00:05:00+08:00"


def test_the_night_may_cross_midnight() -> None:
    night = Night(22 * 60, 7 * 60, "Asia/Shanghai")
    hours = [hour for hour in range(24) if night.holds(AT + hour * 60 * MINUTE)]
    assert hours == [0, 1, 2, 3, 4, 5, 6, 22, 23]


def test_plain_tables_stand_in_columns_also_in_chinese() -> None:
    lines = plain(Table("t", ("谁", "n"), [("王芳", "1"), ("a", "22")], right=frozenset({1})))
    assert lines == ["t", "  谁     n", "  王芳   1", "  a     22"]
    assert len({cells(line) for line in lines[1:]}) == 1
