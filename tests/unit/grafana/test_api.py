"""Pushing, comparing and marking, against a server that says no where Grafana does."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from grafana.api import Grafana
from grafana.built import load
from peakwatch.cli import main
from schemas.errors import ConfigError, PermanentError, TransientError
from schemas.results import PeakPhase
from tests.unit.grafana.server import EDITOR, VIEWER, Held, serve

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FOLDER = "peakwatch"
PHASE = PeakPhase("double-11", "2026", "高潮", 1_794_312_000_000, 1_794_412_800_000, "双11")


@pytest.fixture
def place() -> Iterator[tuple[str, Held]]:
    with serve() as running:
        yield running


@pytest.fixture
def held(place: tuple[str, Held]) -> Held:
    return place[1]


@pytest.fixture
def api(place: tuple[str, Held]) -> Grafana:
    return Grafana(place[0], token=EDITOR, timeout_s=5)


@pytest.fixture
def board() -> dict[str, Any]:
    return load("zh")[0]


def test_every_built_dashboard_is_taken_and_then_as_built(api: Grafana, held: Held) -> None:
    boards = load("all")
    assert api.ensure_folder(FOLDER, "PeakWatch") == "created"
    assert {api.push(one, folder_uid=FOLDER).outcome for one in boards} == {"created"}
    assert api.differences(boards) == []
    assert {one["folderUid"] for one in held.dashboards.values()} == {FOLDER}
    assert len(held.dashboards) == len(boards)


def test_what_is_as_built_is_left_alone(api: Grafana, held: Held, board: dict[str, Any]) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    api.push(board, folder_uid=FOLDER)
    held.requests.clear()
    assert api.ensure_folder(FOLDER, "another title") == "unchanged"
    assert api.push(board, folder_uid=FOLDER).outcome == "unchanged"
    assert not [one for one in held.requests if one.startswith("POST")]


def test_a_dashboard_that_was_changed_there_is_brought_back(api: Grafana, held: Held, board: dict[str, Any]) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    api.push(board, folder_uid=FOLDER)
    saved = held.dashboards[board["uid"]]["dashboard"]
    saved.update(title="mine", version=7)
    (found,) = api.differences([board])
    assert found.missing is False
    assert '- "title": "mine",' in "\n".join(found.lines)
    assert api.push(board, folder_uid=FOLDER).outcome == "updated"
    assert held.dashboards[board["uid"]]["dashboard"]["version"] == 8
    assert api.differences([board]) == []


def test_a_dashboard_in_another_folder_is_moved(api: Grafana, held: Held, board: dict[str, Any]) -> None:
    for uid in (FOLDER, "other"):
        api.ensure_folder(uid, uid)
    api.push(board, folder_uid="other")
    assert api.push(board, folder_uid=FOLDER).outcome == "updated"
    assert held.dashboards[board["uid"]]["folderUid"] == FOLDER


def test_what_somebody_changes_at_the_same_time_is_not_overwritten_unasked(
    api: Grafana, held: Held, board: dict[str, Any]
) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    api.push(board, folder_uid=FOLDER)
    saved = held.dashboards[board["uid"]]["dashboard"]
    saved["title"] = "mine"

    def somebody() -> None:
        saved["version"] += 1

    held.before_save = somebody
    with pytest.raises(PermanentError, match=r"412.*--overwrite"):
        api.push(board, folder_uid=FOLDER)
    assert saved["title"] == "mine"
    assert api.push(board, folder_uid=FOLDER, overwrite=True).outcome == "updated"


def test_a_uid_that_somebody_takes_at_the_same_time_is_not_overwritten_unasked(
    api: Grafana, held: Held, board: dict[str, Any]
) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    theirs = {**board, "id": 1, "version": 1, "title": "theirs"}
    held.before_save = lambda: held.dashboards.setdefault(board["uid"], {"dashboard": theirs, "folderUid": FOLDER})
    with pytest.raises(PermanentError, match=r"412.*--overwrite"):
        api.push(board, folder_uid=FOLDER)
    assert held.dashboards[board["uid"]]["dashboard"]["title"] == "theirs"


def test_a_title_that_another_dashboard_has_is_told_and_overwriting_is_not_advised(
    api: Grafana, held: Held, board: dict[str, Any]
) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    api.push({**board, "uid": "copy"}, folder_uid=FOLDER)
    with pytest.raises(PermanentError, match=r"412.*same name.*rename") as caught:
        api.push(board, folder_uid=FOLDER)
    assert "--overwrite" not in str(caught.value)
    assert set(held.dashboards) == {"copy"}


def test_a_folder_that_two_make_at_the_same_time_is_there_for_both(api: Grafana, held: Held) -> None:
    held.before_save = lambda: held.folders.setdefault(FOLDER, {"uid": FOLDER, "title": "theirs", "version": 1})
    assert api.ensure_folder(FOLDER, "PeakWatch") == "unchanged"
    assert held.folders[FOLDER]["title"] == "theirs"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"title": ""}, "400: Dashboard title cannot be empty", id="no title"),
        pytest.param({"uid": "x" * 41}, "400: uid", id="uid too long"),
    ],
)
def test_a_refusal_is_told_in_grafanas_own_words(
    api: Grafana, board: dict[str, Any], change: dict[str, Any], told: str
) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    with pytest.raises(PermanentError, match=told):
        api.push({**board, **change}, folder_uid=FOLDER)


def test_a_folder_that_is_not_there_refuses_the_dashboard(api: Grafana, board: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="400: folder not found"):
        api.push(board, folder_uid="nowhere")


def test_a_dashboard_that_grafana_takes_from_disk_cannot_be_pushed(
    api: Grafana, held: Held, board: dict[str, Any]
) -> None:
    api.ensure_folder(FOLDER, "PeakWatch")
    held.provisioned.add(board["uid"])
    with pytest.raises(PermanentError, match="Cannot save provisioned dashboard"):
        api.push(board, folder_uid=FOLDER)


@pytest.mark.parametrize(("token", "status"), [("glsa_wrong", "401"), (VIEWER, "403")])
def test_a_token_that_may_not_is_told_and_not_shown(place: tuple[str, Held], token: str, status: str) -> None:
    with pytest.raises(PermanentError, match=status) as caught:
        Grafana(place[0], token=token).ensure_folder(FOLDER, "PeakWatch")
    assert token not in str(caught.value)


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_what_may_pass_by_itself_is_transient(api: Grafana, held: Held, status: int) -> None:
    held.broken = status
    with pytest.raises(TransientError, match=str(status)):
        api.ensure_folder(FOLDER, "PeakWatch")


def test_a_grafana_that_is_not_there_is_transient() -> None:
    with serve() as (url, _):
        pass
    with pytest.raises(TransientError, match="not reached") as caught:
        Grafana(url, token="glsa_secret").ensure_folder(FOLDER, "PeakWatch")
    assert "glsa_secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["grafana.internal", "ftp://grafana", "http://admin:secret@grafana"])
def test_an_address_that_is_none_is_a_mistake(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Grafana(url, token=EDITOR)
    assert "secret" not in str(caught.value)


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grafana_client", "grafana_client.api", "grafana_client.client"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(PermanentError, match=r"pip install 'peakwatch\[grafana\]'"):
        Grafana("http://grafana", token=EDITOR)


# --- marks


def test_a_phase_is_marked_once_and_moved_with_the_plan(api: Grafana, held: Held) -> None:
    assert [one.outcome for one in api.annotate([PHASE])] == ["created"]
    assert [one.outcome for one in api.annotate([PHASE])] == ["unchanged"]
    later = PHASE._replace(ends_at=PHASE.ends_at + 3_600_000)
    assert [one.outcome for one in api.annotate([later])] == ["updated"]
    (mark,) = held.annotations.values()
    assert (mark["time"], mark["timeEnd"], mark["text"]) == (later.starts_at, later.ends_at, "双11 · 高潮")
    assert set(mark["tags"]) == {"peakwatch", "peak", "double-11/2026/高潮"}


def test_marks_of_others_are_left_alone(api: Grafana, held: Held) -> None:
    other = {"id": 1, "time": 1, "timeEnd": 2, "tags": ["deploy"], "text": "release"}
    held.annotations[1] = dict(other)
    api.annotate([PHASE])
    assert held.annotations[1] == other
    assert len(held.annotations) == 2


# --- the command


def test_the_command_pushes_compares_and_marks(
    place: tuple[str, Held], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PEAKWATCH_GRAFANA_URL", place[0])
    monkeypatch.setenv("PEAKWATCH_GRAFANA_TOKEN", EDITOR)
    assert main(["grafana", "diff"]) == 1
    assert main(["grafana", "push", "--language", "all"]) == 0
    assert main(["grafana", "diff", "--language", "all"]) == 0
    assert main(["grafana", "annotate"]) == 0
    told = capsys.readouterr().out
    assert "pw-wall: missing there" in told
    assert "pw-wall-en: created" in told
    assert "16 of 16 dashboards are as built" in told
    assert "double-11/2026/高潮: created" in told


def test_the_command_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("PEAKWATCH_GRAFANA_URL", raising=False)
    monkeypatch.delenv("PEAKWATCH_GRAFANA_TOKEN", raising=False)
    assert main(["grafana", "push"]) == 1
    told = capsys.readouterr().err
    assert "PEAKWATCH_GRAFANA_URL" in told
    assert "PEAKWATCH_GRAFANA_TOKEN" in told
