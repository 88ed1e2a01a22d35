"""Settings to a judge: the built-in one, or another one behind HTTP with the built-in one to fall back to."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import sentiment.judge
from agents.remote_judge import RemoteJudge
from schemas.errors import ConfigError
from schemas.settings import Settings
from sentiment.seam import Guarded, JudgeProtocol, Limits

# A batch is waited for in the worker's one loop, which must also tell Kafka that it lives: three times a session.
_LEAST_SESSION_SHARE: Final = 3


def ensure_usable(settings: Settings) -> None:
    """ConfigError for a `judge_url` or a `judge_timeout` that cannot work."""
    if not settings.judge_url:
        return
    RemoteJudge(settings.judge_url)
    timeout_ms, session_ms = settings.judge_timeout_ms, settings.kafka_session_timeout_ms
    if not 0 < timeout_ms * _LEAST_SESSION_SHARE <= session_ms:
        bound = f"a third of kafka_session_timeout ({session_ms} ms)"
        raise ConfigError([f"judge_timeout: {timeout_ms} ms is not above 0 and at most {bound}"])


def build_judge(settings: Settings) -> JudgeProtocol:
    """The judge of one worker. ConfigError as `ensure_usable`."""
    ensure_usable(settings)
    built_in = sentiment.judge.load()
    if not settings.judge_url:
        return built_in
    timeout_ms = settings.judge_timeout_ms
    headers = {"Authorization": f"Bearer {settings.judge_token}"} if settings.judge_token else {}
    return Guarded(
        RemoteJudge(settings.judge_url, timeout_s=timeout_ms / 1000, headers=headers),
        built_in,
        executor=ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge"),
        now_s=time.monotonic,
        limits=Limits(timeout_s=timeout_ms / 1000),
    )
