"""`peakwatch score --label`, `peakwatch alerts labels`: texts worth a person's look, the doubtful ones of many or those
that false alarms quote, asked about one by one or written out to be filled in.

Which texts are doubtful is `sentiment.labels`'s to say, as is the file; `python -m sentiment.train --data FILE` takes
it. Texts are masked before anybody sees them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from peakwatch.terminal import readable
from schemas.errors import PermanentError
from schemas.results import Alert, AlertAction
from sentiment.judge import load
from sentiment.labels import Label, Labelled, choose_doubtful, from_alarm, label_line, read_labels
from sentiment.privacy import mask_text
from sentiment.seam import JudgeProtocol
from sentiment.validity import validity_batch

KEYS: Final[Mapping[str, Label]] = {"n": "negative", "u": "neutral", "p": "positive"}
SKIP: Final = "s"
QUIT: Final = "q"
QUESTION: Final = "n negative, u neutral or unclear, p positive, s skip, q quit: "

Ask = Callable[[str], str]  # shows a question, gives the line that is answered; "" at the end of input


def doubtful(
    texts: Sequence[str], judge: JudgeProtocol, n: int, *, seed: int, known: Iterable[str] = ()
) -> list[tuple[str, float]]:
    """At most `n` masked texts worth a person's look, with the judge's score; none that is `known` already."""
    left_out = frozenset(known)
    masked = {mask_text(text): None for text, invalid in zip(texts, validity_batch(texts), strict=True) if not invalid}
    fresh = [text for text in masked if text not in left_out]
    verdicts = judge.judge_batch(fresh)
    return [(fresh[place], verdicts.text_score[place]) for place in choose_doubtful(fresh, verdicts, n, seed=seed)]


def asked(chosen: Sequence[tuple[str, float]], ask: Ask) -> Iterator[Labelled]:
    """What a person says of the texts, one after the other; the score is not shown, lest it be agreed with."""
    for number, (text, score) in enumerate(chosen, start=1):
        answer = _answer(f"\n[{number}/{len(chosen)}] {readable(text)}\n{QUESTION}", ask)
        if answer == QUIT:
            return
        if answer in KEYS:
            yield Labelled(text, KEYS[answer], "person", score)


def _answer(question: str, ask: Ask) -> str:
    """One of the keys; the end of input is a quit."""
    while True:
        line = ask(question)
        answer = line.strip().lower() if line else QUIT
        if answer in KEYS or answer in (SKIP, QUIT):
            return answer
        question = QUESTION


def blank_line(text: str, score: float) -> str:
    """A line of a label file whose label is still to be written."""
    return json.dumps({"text": text, "label": "", "source": "person", "score": score}, ensure_ascii=False)


def labels_of_marks(
    alerts: Iterable[Alert], actions: Iterable[AlertAction], judge: JudgeProtocol
) -> Iterator[Labelled]:
    """What people's marks say by themselves: of each of `quotes_of_marks` that it was neutral. A weak label: training
    leaves neutral texts out."""
    texts = [text for text, _ in quotes_of_marks(alerts, actions, judge)]
    yield from from_alarm(texts, judge.judge_batch(texts), mark="false_alarm")


def quotes_of_marks(
    alerts: Iterable[Alert], actions: Iterable[AlertAction], judge: JudgeProtocol
) -> list[tuple[str, float]]:
    """Of every negative spike that somebody marked a false alarm, the texts it quotes that the judge takes for
    negative, once each, with the judge's score. The rows are those of the tables `alerts` and `alert_actions`.

    A complaint is one whether its alert was false or not: those of complaint spikes say nothing of the judge.
    """
    marked = {action.alert_id for action in actions if action.action == "false_alarm"}
    kind = "negative_spike"
    quoted = (one.evidence.get("texts", ()) for one in alerts if one.alert_id in marked and one.kind == kind)
    texts = list(dict.fromkeys(mask_text(text) for quotes in quoted for text in quotes))
    verdicts = judge.judge_batch(texts)
    by_text = zip(texts, verdicts.text_score, verdicts.label, strict=True)
    return [(text, score) for text, score, label in by_text if label == "negative"]


def label_round(
    source: IO[bytes], out: IO[bytes], *, n: int, seed: int, known: Iterable[str] = (), ask: Ask | None
) -> int:
    """A round over the lines of `source`; how many lines were written to `out`, each as soon as it is known."""
    texts = [raw.decode("utf-8", "replace").removesuffix("\n") for raw in source]
    return ask_about(doubtful(texts, load(), n, seed=seed, known=known), out, ask=ask)


def ask_about(chosen: Sequence[tuple[str, float]], out: IO[bytes], *, ask: Ask | None) -> int:
    """Write what a person says of texts, or without one the texts to be filled in; how many lines were written."""
    if ask is None:
        return write_lines((blank_line(*one) for one in chosen), out)
    return write_lines((label_line(labelled) for labelled in asked(chosen, ask)), out)


def write_lines(lines: Iterable[str], out: IO[bytes]) -> int:
    """Write lines, each as soon as it is known; how many there were."""
    count = 0
    for line in lines:
        out.write(line.encode("utf-8", "replace") + b"\n")
        out.flush()
        count += 1
    return count


def known_texts(path: Path) -> list[str]:
    """The texts of a label file that is to be gone on with, labelled or not; PermanentError for another file."""
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        blank = [_text_to_fill_in(line) for line in lines]
        filled = [line if text is None else "" for line, text in zip(lines, blank, strict=True)]
        return [labelled.text for labelled in read_labels(filled)] + [text for text in blank if text is not None]
    except OSError as error:
        raise PermanentError(f"{path}: {error.strerror or error}; give another --out") from None
    except ValueError as error:
        raise PermanentError(f"{path}: {error}; give another --out, or mend it") from None


def _text_to_fill_in(line: str) -> str | None:
    """The text of a line as `blank_line` writes it; None for any other."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    text = fields.get("text") if isinstance(fields, dict) and fields.get("label") == "" else None
    return text if isinstance(text, str) else None
