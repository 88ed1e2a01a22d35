import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from agents.remote_judge import RemoteJudge
from schemas.errors import ConfigError, PermanentError, TransientError
from sentiment.judge import Judge, load
from sentiment.seam import JudgeProtocol
from tests.suites.judge_suite import JudgeSuite

Answer = Callable[[dict[str, Any]], tuple[int, bytes]]
REDIRECTS = (301, 302, 303, 307, 308)


@lru_cache(maxsize=1)
def built_in() -> Judge:
    return load()


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A local service that answers each POST by a function; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answer(asked)
            self.send_response(status)
            if status in REDIRECTS:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests say what they have to say themselves."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/judge"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def by_built_in(asked: dict[str, Any]) -> tuple[int, bytes]:
    verdicts = built_in().judge_batch(asked["texts"], asked.get("ratings"))
    columns = {"text_score": verdicts.text_score, "score": verdicts.score, "label": verdicts.label}
    return 200, json.dumps(columns).encode()


class TestRemote(JudgeSuite):
    @pytest.fixture
    def judge(self) -> Iterator[JudgeProtocol]:
        with serving(by_built_in) as url:
            yield RemoteJudge(url)


def test_what_leaves_is_masked() -> None:
    seen: list[str] = []

    def answer(asked: dict[str, Any]) -> tuple[int, bytes]:
        seen.extend(asked["texts"])
        return by_built_in(asked)

    with serving(answer) as url:
        RemoteJudge(url).judge_batch(["打13812345678没人接"])
    assert seen == ["打[手机号]没人接"]


def test_labels_and_joined_scores_may_be_left_out() -> None:
    with serving(lambda asked: (200, b'{"text_score": [1, 0.0]}')) as url:
        verdicts = RemoteJudge(url).judge_batch(["好", "差"])
    assert verdicts.score == verdicts.text_score == [1.0, 0.0]
    assert verdicts.label == ["positive", "negative"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"text_score": [0.5, 0.5]}',
        b'{"text_score": [2]}',
        b'{"text_score": ["0.5"]}',
        b'{"text_score": [NaN]}',
        b"[" * 2_000,
        b'{"text_score": [0.5], "label": [1]}',
        b'{"text_score": [0.5], "padding": "' + b"x" * 10_000 + b'"}',
    ],
)
def test_an_answer_that_cannot_be_read_is_a_permanent_error(body: bytes) -> None:
    with serving(lambda asked: (200, body)) as url, pytest.raises(PermanentError, match="judge's answer"):
        RemoteJudge(url).judge_batch(["好"])


def test_a_rated_batch_needs_joined_scores() -> None:
    with serving(lambda asked: (200, b'{"text_score": [0.5]}')) as url, pytest.raises(PermanentError, match="score"):
        RemoteJudge(url).judge_batch(["好"], [0.5])


@pytest.mark.parametrize(("status", "kind"), [(500, TransientError), (429, TransientError), (403, PermanentError)])
def test_a_status_tells_whether_to_try_again(status: int, kind: type[Exception]) -> None:
    with serving(lambda asked: (status, b"secret words")) as url, pytest.raises(kind, match=str(status)) as caught:
        RemoteJudge(url).judge_batch(["好"])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_no_answer_and_is_not_followed(status: int) -> None:
    with serving(by_built_in) as away:
        pass  # who goes there finds nobody
    with serving(lambda asked: (status, away.encode())) as url, pytest.raises(PermanentError, match=str(status)):
        RemoteJudge(url, headers={"Authorization": "Bearer hush"}).judge_batch(["好"])


def test_a_service_that_is_away_is_a_transient_error() -> None:
    with serving(by_built_in) as url:
        pass
    with pytest.raises(TransientError):
        RemoteJudge(url).judge_batch(["好"])


def test_neither_token_nor_query_shows() -> None:
    judge = RemoteJudge("http://judge.example/x?key=hush", headers={"Authorization": "Bearer hush"})
    assert "hush" not in repr(judge)


@pytest.mark.parametrize("url", ["", "judge:8000", "ftp://judge.example", "file:///etc/hosts", "http://"])
def test_an_address_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"judge_url"):
        RemoteJudge(url)
