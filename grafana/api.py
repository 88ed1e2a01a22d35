"""Grafana's HTTP API, as far as the wall needs it: dashboards into a folder, what differs there, promotions as marks.

The one place that knows `grafana-client`. (The package `grafana-api`, which it descends from, has been archived since
2022.) Nothing is overwritten that changed since it was read, unless asked for.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from schemas.errors import ConfigError, PeakWatchError, PermanentError, TransientError
from schemas.results import PeakPhase

T = TypeVar("T")
Body = Mapping[str, Any]
Outcome = Literal["created", "updated", "unchanged"]

TIMEOUT_S: Final = 10.0
TAG: Final = "peakwatch"
MOST_MARKS: Final = 5000
# What Grafana itself writes into a dashboard; the same dashboard has others elsewhere.
_OWN_KEYS: Final = ("id", "version", "iteration")
_ADVICE: Final = {
    401: "the token is refused: set PEAKWATCH_GRAFANA_TOKEN to that of a service account that is an Editor",
    403: "the token may not do this: its service account must be an Editor, and may need rights on the folder",
    412: "somebody changed it meanwhile: look with `peakwatch grafana diff`, then push with --overwrite",
}
_TITLE_TAKEN: Final = "another dashboard there has its title or uid: rename that one or move it, then push again"


@dataclass(frozen=True)
class Pushed:
    """What became of a dashboard or a mark."""

    name: str
    outcome: Outcome


@dataclass(frozen=True)
class Difference:
    """A dashboard that is not as built: lines of a unified diff; none where it is missing there."""

    uid: str
    missing: bool
    lines: Sequence[str]


class Grafana:
    """A Grafana, by its URL and a service account's token. Methods raise PermanentError or TransientError, one line
    each, without the token.
    """

    def __init__(self, url: str, *, token: str, timeout_s: float = TIMEOUT_S) -> None:
        """ConfigError for a URL that is none; PermanentError without the package."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError([f"grafana: {url}: not an http or https address"])
        if parts.username or parts.password:
            raise ConfigError(["grafana: the address holds a password: give a token by PEAKWATCH_GRAFANA_TOKEN"])
        try:
            from grafana_client.api import GrafanaApi
            from grafana_client.client import GrafanaException
        except ImportError:
            raise PermanentError("grafana: pip install 'peakwatch[grafana]': grafana-client is missing") from None
        path = parts.path.strip("/")
        self._where = url
        self._refused: type[Exception] = GrafanaException
        self._api: Any = GrafanaApi(
            token, host=parts.hostname, port=parts.port, protocol=parts.scheme, timeout=timeout_s,
            url_path_prefix=f"{path}/" if path else "",
        )  # fmt: skip

    def ensure_folder(self, uid: str, title: str) -> Outcome:
        """The folder, made if it is not there; its title is left as it is."""
        if self._found(lambda: self._api.folder.get_folder(uid)) is not None:
            return "unchanged"
        try:
            self._call(f"folder {uid}", lambda: self._api.folder.create_folder(title, uid=uid))
        except PermanentError:
            if self._found(lambda: self._api.folder.get_folder(uid)) is None:
                raise
            return "unchanged"  # somebody else made it in between
        return "created"

    def push(self, board: Body, *, folder_uid: str, overwrite: bool = False) -> Pushed:
        """Put a dashboard into a folder. One that is as built, and lies there, is left alone."""
        uid = str(board["uid"])
        held = self._found(lambda: self._api.dashboard.get_dashboard(uid))
        there: dict[str, Any] = {} if held is None else held["dashboard"]
        if held is not None and _same(there, board) and held["meta"].get("folderUid") == folder_uid:
            return Pushed(uid, "unchanged")
        body = {**board, "id": there.get("id"), "version": there.get("version", 0)}
        request = {
            "dashboard": body, "folderUid": folder_uid, "overwrite": overwrite, "message": "peakwatch grafana push",
        }  # fmt: skip
        self._call(f"dashboard {uid}", lambda: self._api.dashboard.update_dashboard(request))
        return Pushed(uid, "created" if held is None else "updated")

    def differences(self, boards: Iterable[Body]) -> list[Difference]:
        """What is missing there, or not as built."""
        found: list[Difference] = []
        for board in boards:
            uid = str(board["uid"])
            held = self._found(lambda uid=uid: self._api.dashboard.get_dashboard(uid))  # type: ignore[misc]
            if held is None:
                found.append(Difference(uid, True, ()))
            elif not _same(held["dashboard"], board):
                lines = unified_diff(_lines(held["dashboard"]), _lines(board), "grafana", "built", lineterm="", n=1)
                found.append(Difference(uid, False, tuple(lines)))
        return found

    def annotate(self, phases: Iterable[PeakPhase]) -> list[Pushed]:
        """Mark the phases of promotions for the whole organisation; once each, moved when the plan moved."""
        listed = self._call(
            "annotations", lambda: self._api.annotations.find_annotations(tags=[TAG, "peak"], limit=MOST_MARKS)
        )
        held = {_key_of(mark): mark for mark in listed}
        return [self._mark(phase, held.get(_key(phase))) for phase in phases]

    def _mark(self, phase: PeakPhase, held: Body | None) -> Pushed:
        name = _key(phase)
        text = f"{phase.title} · {phase.phase}" if phase.phase else phase.title
        wanted: dict[str, Any] = {
            "time_from": phase.starts_at, "time_to": phase.ends_at, "tags": [TAG, "peak", name], "text": text,
        }  # fmt: skip
        if held is None:
            self._call(f"annotation {name}", lambda: self._api.annotations.add_annotation(**wanted))
            return Pushed(name, "created")
        if (held["time"], held.get("timeEnd"), held["text"]) == (phase.starts_at, phase.ends_at, text):
            return Pushed(name, "unchanged")
        self._call(f"annotation {name}", lambda: self._api.annotations.update_annotation(held["id"], **wanted))
        return Pushed(name, "updated")

    def _found(self, ask: Callable[[], T]) -> T | None:
        """The answer; None for one that is not there."""
        try:
            return ask()
        except self._refused as error:
            if getattr(error, "status_code", 0) == 404:
                return None
            raise self._explained("", error) from error
        except OSError as error:
            raise self._unreached(error) from error

    def _call(self, what: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except self._refused as error:
            raise self._explained(what, error) from error
        except OSError as error:
            raise self._unreached(error) from error

    def _explained(self, what: str, error: Any) -> PeakWatchError:
        status = int(getattr(error, "status_code", 0) or 0)
        answer = error.response if isinstance(error.response, dict) else {}
        said = str(answer.get("message") or error.message)[:200]
        text = f"grafana {self._where}: {f'{what}: ' if what else ''}{status or 'no answer'}: {said}"
        if status in (0, 429) or status >= 500:
            return TransientError(text)
        advice = _TITLE_TAKEN if answer.get("status") == "name-exists" else _ADVICE.get(status)
        return PermanentError(f"{text}: {advice}" if advice else text)

    def _unreached(self, error: OSError) -> TransientError:
        # The client's own errors repeat the whole request, headers and all: their kind is enough.
        return TransientError(f"grafana {self._where}: not reached ({type(error).__name__}): is it running there?")


def _same(there: Body, board: Body) -> bool:
    return _bare(there) == _bare(board)


def _bare(board: Body) -> dict[str, Any]:
    return {key: value for key, value in board.items() if key not in _OWN_KEYS}


def _lines(board: Body) -> list[str]:
    return json.dumps(_bare(board), ensure_ascii=False, indent=1, sort_keys=True).splitlines()


def _key(phase: PeakPhase) -> str:
    return f"{phase.peak}/{phase.edition}/{phase.phase}"


def _key_of(mark: Body) -> str:
    """The tag that is neither of the two that every mark has; '' of somebody else's."""
    return next((tag for tag in mark["tags"] if tag not in (TAG, "peak")), "")
