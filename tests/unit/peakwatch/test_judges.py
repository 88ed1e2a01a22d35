"""Which judge an installation gets."""

import dataclasses

import pytest

from peakwatch.judges import build_judge
from schemas.errors import ConfigError
from schemas.settings import Settings, read_settings
from sentiment.judge import Judge
from sentiment.seam import Guarded

GONE = "http://127.0.0.1:9/judge"  # the port of `discard`: nobody listens there
TEXTS = ["质量很好，非常满意", "垃圾，用了一天就坏了，客服不理人"]


def test_without_an_address_the_built_in_judge_judges() -> None:
    assert isinstance(build_judge(Settings()), Judge)


def test_another_judge_that_is_away_is_replaced_by_the_built_in_one() -> None:
    judge = build_judge(Settings(judge_url=GONE))
    assert isinstance(judge, Guarded)
    assert judge.judge_batch(TEXTS) == build_judge(Settings()).judge_batch(TEXTS)
    assert judge.fallbacks == {"error": 1}


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no http or https address"):
        build_judge(Settings(judge_url="ftp://judge"))


@pytest.mark.parametrize("timeout_ms", [0, 4_000])
def test_a_time_limit_that_starves_the_session_is_refused(timeout_ms: int) -> None:
    with pytest.raises(ConfigError, match="judge_timeout"):
        build_judge(Settings(judge_url=GONE, judge_timeout_ms=timeout_ms))


def test_the_token_is_read_and_never_shown() -> None:
    variables = {"PEAKWATCH_JUDGE_URL": GONE, "PEAKWATCH_JUDGE_TIMEOUT": "1s", "PEAKWATCH_JUDGE_TOKEN": "s3cret"}
    settings = read_settings(None, variables)
    assert settings == dataclasses.replace(Settings(), judge_url=GONE, judge_timeout_ms=1_000, judge_token="s3cret")
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(build_judge(settings))
