"""Settings that a client sends with a query hold for that query only; a chDB session keeps what it is told.

So they are lent: set before the query, and taken back before the next one that does not ask for the same.
"""

from collections.abc import Iterable

from embedded.chnative.engine import ERRORS, Session, rows
from embedded.chnative.packets import Code, Setting, engine_error

# Ours: the tag of the connection. The client's own affair: which log lines it wants, which we cannot send.
_NOT_LENT = frozenset({"log_comment", "send_logs_level"})


class LentSettings:
    """The settings of one session that belong to the query at hand. `spoiled`: the session cannot be used again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lent: dict[str, str] = {}
        self._before: dict[str, str | None] = {}
        self.spoiled = False

    def lend(self, wanted: Iterable[Setting]) -> None:
        """Makes exactly these hold; an unknown one is an error only where the client calls it important."""
        asked = {setting.name: setting for setting in wanted if setting.name not in _NOT_LENT}
        gone = [name for name in self._lent if name not in asked]
        new = [setting for name, setting in asked.items() if self._lent.get(name) != setting.value]
        if gone:
            self._take_back(gone)
        if new:
            self._set(new)

    def _take_back(self, names: list[str]) -> None:
        texts = []
        for name in names:
            before = self._before.pop(name)
            texts.append(f"{_name(name)} = {'DEFAULT' if before is None else _quote(before)}")
            del self._lent[name]
        texts = [text for text in texts if not text.startswith("`param_")]
        if texts:
            self._session.query("SET " + ", ".join(texts))

    def _set(self, settings: list[Setting]) -> None:
        self._remember([setting.name for setting in settings if setting.name not in self._lent])
        # A session that was told to be read-only cannot be told otherwise.
        self.spoiled |= any(setting.name == "readonly" and setting.value != "0" for setting in settings)
        ordered = sorted(settings, key=lambda setting: setting.name == "readonly")
        try:
            self._session.query("SET " + ", ".join(f"{_name(s.name)} = {_quote(s.value)}" for s in ordered))
        except ERRORS as error:
            if engine_error(error).code != Code.UNKNOWN_SETTING:
                raise
            self._set_one_by_one(ordered)
        self._lent.update({setting.name: setting.value for setting in settings})

    def _set_one_by_one(self, settings: list[Setting]) -> None:
        for setting in settings:
            try:
                self._session.query(f"SET {_name(setting.name)} = {_quote(setting.value)}")
            except ERRORS as error:
                if setting.important or engine_error(error).code != Code.UNKNOWN_SETTING:
                    raise
                self._before[setting.name] = None

    def _remember(self, names: list[str]) -> None:
        if not names:
            return
        listed = ", ".join(map(_quote, names))
        found = rows(self._session, f"SELECT name, value FROM system.settings WHERE changed AND name IN ({listed})")
        self._before.update(dict.fromkeys(names))
        self._before.update(dict(found))


def _name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
