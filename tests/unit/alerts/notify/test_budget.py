"""No window of the platform ever sees more messages than it allows."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.notify.budget import Budget, month_of
from schemas.instants import parse_instant
from schemas.notify import Channel, Secret

AT = parse_instant("2026-11-11T00:00:00+08:00")


def budget(*limits: tuple[int, int], reserve: int = 0, quota: int | None = None) -> Budget:
    channel = Channel(name="c", kind="dingtalk", url=Secret("x"), limits=limits, reserve=reserve, monthly_quota=quota)
    return Budget(channel, zone="Asia/Shanghai")


@given(st.lists(st.integers(0, 9000), min_size=30, max_size=120))
def test_no_minute_holds_more_than_the_limit_however_messages_come(gaps: list[int]) -> None:
    tokens, now, sent = budget((20, 60_000), (5, 1000)), AT, []
    for gap in gaps:
        now += gap
        if tokens.free(now, critical=True):
            tokens.spend(now)
            sent.append(now)
    for at in sent:
        assert sum(at <= one < at + 60_000 for one in sent) <= 20
        assert sum(at <= one < at + 1000 for one in sent) <= 5


def test_the_reserve_is_kept_for_critical_alerts() -> None:
    tokens = budget((20, 60_000), reserve=5)
    for _ in range(15):
        tokens.spend(AT)
    assert (tokens.free(AT, critical=False), tokens.free(AT, critical=True)) == (0, 5)
    assert tokens.free(AT + 61_000, critical=False) == 15


def test_the_last_tenth_of_the_months_quota_is_for_critical_alerts() -> None:
    tokens = budget(quota=10)
    for _ in range(9):
        tokens.spend(AT)
    assert (tokens.free(AT, critical=False), tokens.free(AT, critical=True)) == (0, 1)
    assert tokens.month(AT) == (9, 10)
    december = parse_instant("2026-12-01T00:00:00+08:00")
    assert tokens.month(december - 1) == (9, 10)
    assert tokens.month(december) == (0, 10)


def test_a_channel_that_is_shut_has_no_token_even_for_critical_alerts() -> None:
    tokens = budget((20, 60_000))
    tokens.shut(AT + 600_000)
    tokens.shut(AT + 5)
    assert (tokens.free(AT + 599_999, critical=True), tokens.free(AT + 600_000, critical=True)) == (0, 20)


def test_a_quota_that_the_platform_calls_used_up_is_asked_again_at_midnight() -> None:
    tokens = budget((20, 60_000), quota=5000)
    tokens.use_up(AT + 1)
    assert tokens.month(AT + 1) == (5000, 5000)
    assert tokens.shut_until == AT + 86_400_000


def test_tokens_survive_a_restart() -> None:
    tokens, other = budget((20, 60_000), quota=100), budget((20, 60_000), quota=100)
    for _ in range(20):
        tokens.spend(AT)
    other.load(tokens.dump())
    assert other.free(AT, critical=True) == 0
    assert other.month(AT) == (20, 100)


def test_months_are_the_zones() -> None:
    at = parse_instant("2026-10-31T17:00:00Z")
    assert (month_of("Asia/Shanghai", at), month_of("UTC", at)) == ("2026-11", "2026-10")


@given(
    gaps=st.lists(st.integers(0, 30_000), min_size=1, max_size=60), critical=st.booleans(),
    quota=st.one_of(st.none(), st.integers(1, 30)),
)  # fmt: skip
def test_it_opens_when_it_says_and_not_before(gaps: list[int], critical: bool, quota: int | None) -> None:
    tokens, now = budget((10, 60_000), (2, 1000), reserve=3, quota=quota), AT
    for gap in gaps:
        now += gap
        if tokens.free(now, critical=True):
            tokens.spend(now)
        opens = tokens.opens_at(now, critical=critical)
        assert (opens == now) == (tokens.free(now, critical=critical) > 0)
        assert tokens.free(opens, critical=critical) > 0
        if opens > now:
            assert tokens.free(opens - 1, critical=critical) == 0
