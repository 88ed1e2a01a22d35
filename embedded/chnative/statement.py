"""What kind of query a text is, as far as the protocol must know: whether it wants data, which table an INSERT fills,
and where a FORMAT clause stands that on this protocol is the client's own business. The engine parses all the rest.
"""

import re
from dataclasses import dataclass
from enum import Enum

_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|\#[! ][^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<other>.)",
    re.S,
)
_OPEN, _CLOSE = "([{", ")]}"
_SELECTS = frozenset({"SELECT", "WITH", "FROM", "("})


class Kind(Enum):
    SELECT = "select"  # its result can be streamed
    INSERT_BLOCKS = "insert"  # the client sends the data as blocks
    SHUTDOWN = "shutdown"
    EMPTY = "empty"
    MANY = "many"  # several statements in one text
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Statement:
    """`text` is what the engine shall run: without the FORMAT clause; of an INSERT all before its data.

    `table` (as written, or `FUNCTION f(…)`) and `columns` (as written, between the brackets) belong to an INSERT.
    """

    kind: Kind
    text: str
    table: str = ""
    columns: str | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper()


def sort_statement(sql: str, *, data_in_text: bool = True) -> Statement:
    """Sorts a query. Never raises: what is no statement at all is the engine's to refuse.

    Without `data_in_text` an INSERT's data come as blocks even where the text goes on with them: so old clients do.
    """
    first = _tokens(sql, most=2)
    if not first or first[0].text == ";":
        return Statement(Kind.EMPTY, sql)
    words = [token.word for token in first]
    if words[0] == "INSERT":
        return _sort_insert(sql, data_in_text)
    if words[0] == "SYSTEM" and words[1:] in (["SHUTDOWN"], ["KILL"]):
        return Statement(Kind.SHUTDOWN, sql)
    tokens = _tokens(sql)
    end = next((i for i, token in enumerate(tokens) if token.text == ";"), len(tokens))
    if any(token.text != ";" for token in tokens[end:]):
        return Statement(Kind.MANY, sql)
    if words[0] == "WITH":
        # WITH … INSERT INTO … SELECT is written in front of an INSERT as well
        insert = _at_top(tokens[:end], "INSERT")
        if insert is not None and insert + 1 < end and tokens[insert + 1].word == "INTO":
            return Statement(Kind.OTHER, sql)
    kind = Kind.SELECT if words[0] in _SELECTS else Kind.OTHER
    return Statement(kind, _without_format(sql, tokens[:end]))


def _sort_insert(sql: str, data_in_text: bool) -> Statement:
    tokens = _tokens(sql)
    at = 1
    for optional in ("INTO", "TABLE"):
        if _word(tokens, at) == optional and _word(tokens, at + 1) not in ("(", "VALUES", "FORMAT", "SELECT", ""):
            at += 1
    start, at = at, _end_of_table(tokens, at)
    if at <= start:
        return Statement(Kind.OTHER, sql)
    table = sql[tokens[start].start : tokens[at - 1].end]
    columns = None
    if _word(tokens, at) == "(" and _word(tokens, at + 1) not in ("SELECT", "WITH"):
        close = _after_brackets(tokens, at)
        columns = sql[tokens[at].end : tokens[close - 1].start]
        at = close
    while _word(tokens, at) not in ("VALUES", "FORMAT", "SELECT", "WITH", "FROM", "WATCH", "(", ";", ""):
        at += 1  # SETTINGS …
    cut_off = not data_in_text and _word(tokens, at) in ("VALUES", "FORMAT")
    if not cut_off and not _wants_blocks(sql, tokens, at):
        return Statement(Kind.OTHER, sql)
    head = sql[: tokens[at].start] if at < len(tokens) else sql
    return Statement(Kind.INSERT_BLOCKS, head, table, columns)


def _wants_blocks(sql: str, tokens: list[_Token], at: int) -> bool:
    """True where the statement ends before its data: after VALUES, after FORMAT and a name, or right away."""
    word = _word(tokens, at)
    if word == "FORMAT":
        if at + 1 >= len(tokens):
            return True
        # What follows the name is data in that format, which no rule of SQL can cut into tokens.
        return not sql[tokens[at + 1].end :].strip(" \t\r\n;")
    rest = [token for token in tokens[at + (word == "VALUES") :] if token.text != ";"]
    return not rest


def _end_of_table(tokens: list[_Token], at: int) -> int:
    """After `name`, `db.name` or `FUNCTION f(…)`."""
    if _word(tokens, at) == "FUNCTION":
        at += 2
        return _after_brackets(tokens, at) if _word(tokens, at) == "(" else at
    if at >= len(tokens):
        return at
    at += 1
    while _word(tokens, at) == "." and at + 1 < len(tokens):
        at += 2
    return at


def _after_brackets(tokens: list[_Token], at: int) -> int:
    level = 0
    for i in range(at, len(tokens)):
        level += (tokens[i].text in _OPEN) - (tokens[i].text in _CLOSE)
        if level == 0:
            return i + 1
    return len(tokens)


def _without_format(sql: str, tokens: list[_Token]) -> str:
    """Cuts `FORMAT name` out where it ends the statement or stands before the last SETTINGS."""
    end = tokens[-1].end
    at = _at_top(tokens, "FORMAT", last=True)
    if not at or at + 1 >= len(tokens):
        return sql[:end]
    follower = _word(tokens, at + 2)
    if follower not in ("", "SETTINGS") or not tokens[at + 1].text.isidentifier():
        return sql[:end]
    return sql[: tokens[at].start] + sql[tokens[at + 1].end : end]


def _at_top(tokens: list[_Token], word: str, *, last: bool = False) -> int | None:
    """Where a word stands outside of all brackets."""
    level, found = 0, None
    for i, token in enumerate(tokens):
        level += (token.text in _OPEN) - (token.text in _CLOSE)
        if level == 0 and token.word == word:
            found = i
            if not last:
                break
    return found


def _word(tokens: list[_Token], at: int) -> str:
    return tokens[at].word if at < len(tokens) else ""


def _tokens(sql: str, most: int | None = None) -> list[_Token]:
    out = []
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "space":
            out.append(_Token(match.group(), match.start(), match.end()))
            if len(out) == most:
                break
    return out
