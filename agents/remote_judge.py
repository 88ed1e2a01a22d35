"""A judge behind HTTP: one JSON POST a batch. The way to plug in a transformer or a model of one's own.

Request:  ``{"texts": ["…", …], "ratings": [0.75, null, …]}``, `ratings` left out when there are none.
Response: ``{"text_score": [0.93, …], "score": [0.9, …], "label": ["positive", …]}``, each as long as `texts`; scores
are P(positive) in 0 … 1; `score` may be left out when no ratings were sent, `label` always (it then follows from it).

Leaves time limit and fall-back to `sentiment.seam.Guarded`; its own limit only ends a connection that nobody waits for.
"""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from schemas.errors import ConfigError, PermanentError, TransientError
from sentiment.calibration import label_of
from sentiment.judge import Verdicts
from sentiment.privacy import mask_text

_MOST_BYTES_A_TEXT: Final = 200
_TRIED_AGAIN: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token elsewhere: it is a status like any other that is no answer."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener: Final = build_opener(_NoRedirects)


class RemoteJudge:
    """Judges by asking a service. Texts are masked before they leave (see `sentiment.privacy`)."""

    def __init__(self, url: str, *, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None) -> None:
        """`headers` may carry a token. Raises ConfigError for a URL that is not http or https."""
        if not _is_address(url):
            raise ConfigError(["judge_url: is no http or https address"])  # without it: it may hold a token
        self._url = url
        self._timeout_s = timeout_s
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"} | dict(headers or {})

    def __repr__(self) -> str:
        # Neither headers nor the URL's query: both may hold a token.
        return f"RemoteJudge({urlsplit(self._url).hostname})"

    def judge_batch(self, texts: Sequence[str], ratings: Sequence[float | None] | None = None) -> Verdicts:
        """As `sentiment.seam.JudgeProtocol`. Raises TransientError when the service is away, slow or busy, and
        PermanentError when it refuses or its answer cannot be read."""
        if ratings is not None and len(ratings) != len(texts):
            raise ValueError(f"{len(ratings)} ratings for {len(texts)} texts: there must be one for each")
        if not texts:
            return Verdicts([], [], [])
        asked: dict[str, object] = {"texts": [mask_text(text) for text in texts]}
        if ratings is not None:
            asked["ratings"] = list(ratings)
        return _read(self._post(json.dumps(asked).encode("ascii"), len(texts)), len(texts), ratings is not None)

    def _post(self, body: bytes, count: int) -> bytes:
        request = Request(self._url, data=body, headers=self._headers, method="POST")
        try:
            with _opener.open(request, timeout=self._timeout_s) as response:
                answer: bytes = response.read(4096 + count * _MOST_BYTES_A_TEXT)
                return answer
        except HTTPError as error:
            with error:
                kind = TransientError if error.code in _TRIED_AGAIN else PermanentError
                raise kind(f"{self!r}: HTTP status {error.code}") from None
        except (URLError, HTTPException, OSError) as error:
            raise TransientError(f"{self!r}: {type(error).__name__}") from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # [ without ]
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(c.isspace() for c in url)


def _read(answer: bytes, count: int, rated: bool) -> Verdicts:
    try:
        columns: Any = json.loads(answer)
    except (ValueError, RecursionError):
        raise PermanentError("judge's answer: no JSON, or longer than an answer can be") from None
    if not isinstance(columns, dict):
        raise PermanentError(f"judge's answer: {type(columns).__name__} is not an object")
    text_score = _scores(columns, "text_score", count)
    score = text_score if "score" not in columns and not rated else _scores(columns, "score", count)
    label = columns.get("label", [label_of(one) for one in score])
    if not isinstance(label, list) or len(label) != count or not all(isinstance(one, str) for one in label):
        raise PermanentError(f"judge's answer: label: not a list of {count} strings")
    return Verdicts(text_score, score, label)


def _scores(columns: Mapping[str, Any], name: str, count: int) -> list[float]:
    column = columns.get(name)
    if not isinstance(column, list) or len(column) != count:
        raise PermanentError(f"judge's answer: {name}: not a list of {count} scores")
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 1 for one in column):
        raise PermanentError(f"judge's answer: {name}: a score is not within 0 … 1")
    return [float(one) for one in column]
