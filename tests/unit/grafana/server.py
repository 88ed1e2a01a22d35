"""A server that keeps what Grafana 11's HTTP API documents: who may, what is required, and when it says no.

Dashboards (POST /api/dashboards/db: 200, 400, 401, 403, 412), folders (409 for a uid that is taken), annotations (400
without a text). Written after grafana.com's HTTP API reference; it accepts nothing that is not listed there.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

EDITOR: Final = "glsa_editor"
VIEWER: Final = "glsa_viewer"
UID: Final = re.compile(r"[a-zA-Z0-9\-_]{1,40}")

Answer = tuple[int, Any]


@dataclass
class Held:
    """What this Grafana keeps."""

    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)  # uid -> {dashboard, folderUid}
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    provisioned: set[str] = field(default_factory=set)
    before_save: Callable[[], object] = lambda: None  # what somebody else does at the same time
    broken: int = 0  # a status that everything is answered with
    requests: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    held: Held

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_PUT(self) -> None:
        self._answer(self._put)

    def _answer(self, how: Callable[[str, Any], Answer]) -> None:
        path = urlsplit(self.path).path
        self.held.requests.append(f"{self.command} {path}")
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = self._guarded(how, path, raw)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _guarded(self, how: Callable[[str, Any], Answer], path: str, raw: bytes) -> Answer:
        if self.held.broken:
            return self.held.broken, {"message": "internal"}
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in (EDITOR, VIEWER):
            return 401, {"message": "Unauthorized"}
        if self.command != "GET" and token == VIEWER:
            return 403, {"message": "You'll need additional permissions to perform this action"}
        if self.command == "GET":
            return how(path, None)
        if (self.headers.get("Content-Type") or "").split(";")[0] != "application/json":
            return 415, {"message": "unsupported media type"}
        try:
            body = json.loads(raw)
        except ValueError:
            return 400, {"message": "bad request data"}
        return how(path, body) if isinstance(body, dict) else (400, {"message": "bad request data"})

    def _get(self, path: str, _: Any) -> Answer:
        if path == "/api/annotations":
            return 200, self._marks()
        kind, uid = path.rsplit("/", 1)
        if kind == "/api/dashboards/uid":
            found = self.held.dashboards.get(uid)
            if found is None:
                return 404, {"message": "Dashboard not found"}
            meta = {"folderUid": found["folderUid"], "version": found["dashboard"]["version"]}
            return 200, {"dashboard": found["dashboard"], "meta": meta}
        if kind == "/api/folders":
            folder = self.held.folders.get(uid)
            return (200, folder) if folder else (404, {"message": "folder not found", "status": "not-found"})
        return 404, {"message": "Not found"}

    def _marks(self) -> list[dict[str, Any]]:
        query = parse_qs(urlsplit(self.path).query)
        tags = set(query.get("tags", []))
        limit = int(query.get("limit", ["100"])[0])
        return [one for one in self.held.annotations.values() if tags <= set(one["tags"])][:limit]

    def _post(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "/api/dashboards/db":
            self.held.before_save()
            return self._save(body)
        if path == "/api/folders":
            self.held.before_save()
            return self._make_folder(body)
        if path == "/api/annotations":
            if refusal := _wrong_mark(body):
                return refusal
            number = len(self.held.annotations) + 1
            self.held.annotations[number] = {"id": number, **body}
            return 200, {"message": "Annotation added", "id": number}
        return 404, {"message": "Not found"}

    def _put(self, path: str, body: dict[str, Any]) -> Answer:
        number = path.removeprefix("/api/annotations/")
        if not number.isdigit() or int(number) not in self.held.annotations:
            return 404, {"message": "annotation not found"}
        if refusal := _wrong_mark(body):
            return refusal
        self.held.annotations[int(number)] = {"id": int(number), **body}
        return 200, {"message": "Annotation updated"}

    def _make_folder(self, body: dict[str, Any]) -> Answer:
        uid = body.get("uid")
        if not body.get("title"):
            return 400, {"message": "folder title cannot be empty"}
        if not isinstance(uid, str) or not UID.fullmatch(uid):
            return 400, {"message": "uid contains illegal characters"}
        if uid in self.held.folders:
            return 409, {"message": "a folder with the same uid already exists"}
        self.held.folders[uid] = {"uid": uid, "title": body["title"], "version": 1}
        return 200, self.held.folders[uid]

    def _save(self, body: dict[str, Any]) -> Answer:
        board = body.get("dashboard")
        if not isinstance(board, dict):
            return 400, {"message": "bad request data"}
        uid = board.get("uid")
        if refusal := _wrong_board(board) or self._wrong_place(body, uid):
            return refusal
        there = self.held.dashboards.get(str(uid), {}).get("dashboard")
        if board.get("id") is not None and (there is None or there["id"] != board["id"]):
            return 404, {"message": "Dashboard not found", "status": "not-found"}
        if there is not None and not body.get("overwrite") and board.get("version", 0) != there["version"]:
            return 412, {
                "message": "The dashboard has been changed by someone else", "status": "version-mismatch",
            }  # fmt: skip
        if not body.get("overwrite") and self._title_is_taken(board, body.get("folderUid", "")):
            return 412, {
                "message": "A dashboard with the same name in the folder already exists", "status": "name-exists",
            }  # fmt: skip
        version = 1 if there is None else there["version"] + 1
        number = len(self.held.dashboards) + 1 if there is None else there["id"]
        saved = {**board, "id": number, "version": version}
        self.held.dashboards[str(uid)] = {"dashboard": saved, "folderUid": body.get("folderUid", "")}
        return 200, {"id": number, "uid": uid, "url": f"/d/{uid}/x", "status": "success", "version": version}

    def _title_is_taken(self, board: dict[str, Any], folder: str) -> bool:
        return any(
            uid != board["uid"] and one["folderUid"] == folder and one["dashboard"]["title"] == board["title"]
            for uid, one in self.held.dashboards.items()
        )

    def _wrong_place(self, body: dict[str, Any], uid: object) -> Answer | None:
        if body.get("folderUid") and body["folderUid"] not in self.held.folders:
            return 400, {"message": "folder not found"}
        if uid in self.held.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        return None


def _wrong_board(board: dict[str, Any]) -> Answer | None:
    if not board.get("title"):
        return 400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}
    uid = board.get("uid")
    if not isinstance(uid, str) or not UID.fullmatch(uid):
        return 400, {"message": "uid contains illegal characters or is too long"}
    if not all(isinstance(tag, str) for tag in board.get("tags", [])):
        return 400, {"message": "bad request data"}
    return None


def _wrong_mark(body: dict[str, Any]) -> Answer | None:
    if not body.get("text"):
        return 400, {"message": "Failed to save annotation", "error": "text field should not be empty"}
    begin, end = body.get("time"), body.get("timeEnd")
    if not isinstance(begin, int) or not isinstance(end, int) or end < begin:
        return 400, {"message": "bad request data"}
    return None


@contextmanager
def serve() -> Iterator[tuple[str, Held]]:
    """Its address, and what it keeps."""
    held = Held()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"held": held}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
