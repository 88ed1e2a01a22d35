from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import pages
from agents.pages import (
    DIRECTORY,
    Key,
    Log,
    Pages,
    Reading,
    Snapshot,
    decode_key,
    encode_key,
    replay,
)
from schemas.errors import PermanentError

OWNER, PARTITION = "stage1", 3

PART_BYTES = 64

names = st.sampled_from(["a", "b", "c/d", "手机"])
contents = st.binary(max_size=4 * PART_BYTES)
changes = st.dictionaries(names, st.one_of(st.none(), contents), max_size=4)


@pytest.fixture(scope="module", autouse=True)
def _small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "MAX_PART_BYTES", PART_BYTES)
        yield


class Store:
    """The steps of `pagestore` on a list, with what must be found after each record."""

    def __init__(self) -> None:
        self.log: Log = []
        self.expected: list[Snapshot | None] = [None]  # after so many records
        self.owner = Pages(OWNER, PARTITION, "t0")
        self.now: Snapshot | None = None

    def write(self, log: Log) -> None:
        for record in log:
            self.log.append(record)
            self.expected.append(self.now)

    def take_over(self, token: str) -> Snapshot | None:
        self.owner = Pages(OWNER, PARTITION, token)
        self.write(self.owner.claim(1))
        reading = replay(OWNER, PARTITION, self.log)
        found = reading.snapshot()
        if found is not None:
            self.save(dict(found.pages), found.root)
        self.write(reading.leftovers(token=token))
        return found

    def save(self, pages: dict[str, Any], root: dict[str, Any]) -> None:
        plan = self.owner.plan(pages, root)
        self.write(plan.pages)
        kept = dict(self.now.pages) if self.now else {}
        for page, content in pages.items():
            if content is None:
                kept.pop(page, None)
            else:
                kept[page] = content
        self.now = Snapshot(kept, root)
        self.write(plan.commit)
        self.write(plan.leftovers)
        self.owner = plan.after


def compacted(log: Log, *, upto: int) -> Log:
    """The log after the broker compacted its first `upto` records."""
    last = {key: at for at, (key, _) in enumerate(log[:upto])}
    return [record for at, record in enumerate(log) if at >= upto or last[record[0]] == at]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(changes, st.just("take over")), max_size=7), st.data())
def test_any_prefix_of_the_log_gives_a_whole_state(steps: list[Any], data: st.DataObject) -> None:
    store = Store()
    store.take_over("t0")
    for number, step in enumerate(steps, 1):
        if step == "take over":
            assert store.take_over(f"t{number}") == store.now
        else:
            store.save(step, {"offset": number, "journal": [b"\x00\xff", number]})
    reading = Reading(OWNER, PARTITION)
    for at, expected in enumerate(store.expected):
        if at:
            reading.apply(*store.log[at - 1])
        assert reading.snapshot() == expected
    upto = data.draw(st.integers(0, len(store.log)))
    assert replay(OWNER, PARTITION, compacted(store.log, upto=upto)).snapshot() == store.now


def test_a_page_that_is_as_it_was_is_not_written_again() -> None:
    store = Store()
    store.take_over("t0")
    store.save({"a": b"1", "b": b"1"}, {})
    plan = store.owner.plan({"a": b"1", "b": b"2"}, {})
    assert [decode_key(key).page for key, _ in plan.pages] == ["b", DIRECTORY]
    store.save({"a": b"1", "b": b"2"}, {})
    store.save({"a": None}, {})
    store.save({"a": b"1"}, {})
    assert replay(OWNER, PARTITION, store.log).snapshot() == Snapshot({"a": b"1", "b": b"2"}, {})
    assert store.take_over("t1") == store.now


@settings(max_examples=40, deadline=None)
@given(st.lists(changes, max_size=3), st.lists(changes, min_size=1, max_size=3), st.data())
def test_former_owner_that_still_writes_changes_nothing(
    before: list[Any], after: list[Any], data: st.DataObject
) -> None:
    store = Store()
    store.take_over("t0")
    for number, step in enumerate(before, 1):
        store.save(step, {"offset": number})
    former = store.owner
    began = len(store.log)
    store.take_over("t1")
    late: Log = []
    for number, step in enumerate(after, 100):
        plan = former.plan(step, {"offset": number})
        former = plan.after
        late += [*plan.pages, *plan.commit, *plan.leftovers]
    # the new owner's claim comes first; what the former one writes after it may lie anywhere
    at = sorted(data.draw(st.lists(st.integers(began + 1, len(store.log)), max_size=6)))
    mixed = list(store.log)
    for place, record in reversed(list(zip(at, late, strict=False))):
        mixed.insert(place, record)
    mixed += late[len(at) :]
    reading = Reading(OWNER, PARTITION)
    for index, record in enumerate(mixed):
        reading.apply(*record)
        if index >= began:
            assert reading.snapshot() == store.now


def test_claim_of_an_older_generation_holds_nothing() -> None:
    store = Store()
    store.write(store.owner.claim(7))
    store.save({"a": b"1"}, {})
    late = Pages(OWNER, PARTITION, "late")
    reading = replay(OWNER, PARTITION, store.log + late.claim(6) + late.plan({"a": b"2"}, {}).commit)
    assert reading.claimed_by("late") is False
    assert reading.claimed_by("other") is None
    assert (reading.generation, reading.snapshot()) == (7, store.now)


def test_slots_are_reused() -> None:
    store = Store()
    store.take_over("t0")
    for number in range(50):
        store.save({"a": b"%d" % number}, {"n": number})
    keys = {key for key, value in store.log if value is not None}
    assert len(keys) == 1 + 1 + 2 + 2  # claim, commit, two slots of the page and of the directory


def test_a_page_that_shrinks_or_goes_leaves_nothing_behind() -> None:
    store = Store()
    store.take_over("t0")
    for content in (b"x" * (3 * PART_BYTES), b"y" * (3 * PART_BYTES), b"z", b"z", None):
        store.save({"a": content}, {})
    live = {}
    for key, value in store.log:
        live[key] = value
    left = [decode_key(key) for key, value in live.items() if value is not None]
    assert [key for key in left if key.page == "a"] == []


def test_a_take_over_clears_away_what_the_former_owner_wrote() -> None:
    store = Store()
    store.take_over("t0")
    store.save({"a": b"1", "b": b"2"}, {})
    store.take_over("t1")
    live = {}
    for key, value in store.log:
        live[key] = value
    assert {decode_key(key).token for key, value in live.items() if value is not None} == {"t1"}


def test_the_same_save_writes_the_same_bytes() -> None:
    pages: dict[str, bytes | None] = {"b": b"2", "a": b"1"}
    one = Pages(OWNER, PARTITION, "t").plan(pages, {"x": 1, "y": [2]})
    two = Pages(OWNER, PARTITION, "t").plan(dict(sorted(pages.items())), {"y": [2], "x": 1})
    assert (one.pages, one.commit) == (two.pages, two.commit)


def test_big_page_is_split_and_empty_page_is_kept() -> None:
    store = Store()
    store.take_over("t0")
    big = bytes(range(256)) * (2 * PART_BYTES // 256 + 3)
    store.save({"big": big, "empty": b""}, {})
    assert max(len(value or b"") for _, value in store.log) == PART_BYTES
    assert replay(OWNER, PARTITION, store.log).snapshot() == Snapshot({"big": big, "empty": b""}, {})


@pytest.mark.parametrize("page", ["a", DIRECTORY], ids=["page", "directory"])
def test_damaged_page_is_named(page: str) -> None:
    store = Store()
    store.take_over("t0")
    store.save({"a": b"1"}, {})
    damaged = [
        (key, (b"\x92\x90\x80" if decode_key(key)[2:5] == ("page", "t0", page) else value)) for key, value in store.log
    ]
    with pytest.raises(PermanentError, match=rf"state stage1/3: page '{page}', slot 0: "):
        replay(OWNER, PARTITION, damaged).snapshot()


def test_other_states_in_the_same_partition_are_passed_over() -> None:
    store = Store()
    store.take_over("t0")
    store.save({"a": b"1"}, {})
    assert replay(OWNER, 4, store.log).snapshot() is None
    assert replay("stage2", PARTITION, store.log).snapshot() is None


def test_a_page_needs_a_name() -> None:
    with pytest.raises(PermanentError, match="a page has no name"):
        Pages(OWNER, PARTITION, "t").plan({"": b""}, {})


def test_key_reads_back_and_rubbish_does_not() -> None:
    key = Key(OWNER, PARTITION, "page", "ab", "手机|华东", 1, 2)
    assert decode_key(encode_key(key)) == key
    for raw in (b"", b"\xff", b"[]", b'["a",1,"other","t","",0,0]'):
        with pytest.raises(PermanentError, match="state: key"):
            decode_key(raw)
