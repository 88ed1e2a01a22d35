"""The labels by which the judge gets better: their file, which texts to ask a person about, what an alert's mark says.

Leaves to `python -m sentiment.train` what is done with them.

**Label file** (JSON lines, UTF-8), one object a line: ``{"text": "…", "label": "negative" | "neutral" | "positive",
"source": "person" | "false_alarm" | "missed_alarm", "score": 0.41}``; `score` (what the judge said) may be left out.
Texts are masked before they come here. Of several lines with one text the last counts.
"""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, cast

from sentiment.judge import Verdicts

Label = Literal["negative", "neutral", "positive"]
Source = Literal["person", "false_alarm", "missed_alarm"]

LABELS: Final[tuple[Label, ...]] = ("negative", "neutral", "positive")
SOURCES: Final[tuple[Source, ...]] = ("person", "false_alarm", "missed_alarm")


class Labelled(NamedTuple):
    """A text with what a person says of it."""

    text: str
    label: Label
    source: Source
    score: float | None = None


def choose_doubtful(texts: Sequence[str], verdicts: Verdicts, n: int, *, seed: int) -> list[int]:
    """The places of at most `n` different texts that are worth a person's look: nine in ten those whose text score is
    nearest to 1/2, the rest by chance from all others, so that what the judge is wrongly sure of is seen, too."""
    if len(verdicts.text_score) != len(texts):
        raise ValueError(f"{len(verdicts.text_score)} verdicts for {len(texts)} texts: there must be one for each")
    first_of = {text: place for place, text in reversed(list(enumerate(texts))) if text.strip()}
    places = sorted(first_of.values(), key=lambda place: (abs(verdicts.text_score[place] - 0.5), place))
    by_doubt = n - n // _ONE_BY_CHANCE_IN
    doubtful, others = places[:by_doubt], places[by_doubt:]
    by_chance = random.Random(seed).sample(others, min(n - len(doubtful), len(others)))
    return doubtful + sorted(by_chance)


_ONE_BY_CHANCE_IN: Final = 10


def label_line(labelled: Labelled) -> str:
    """One line of a label file, without its end."""
    line: dict[str, object] = {"text": labelled.text, "label": labelled.label, "source": labelled.source}
    if labelled.score is not None:
        line["score"] = labelled.score
    return json.dumps(line, ensure_ascii=False)


def read_labels(lines: Iterable[str]) -> list[Labelled]:
    """The labels of a file, each text once. Raises ValueError with every bad line's number and the rule it breaks."""
    found: dict[str, Labelled] = {}
    mistakes: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        labelled = _labelled(line)
        if isinstance(labelled, str):
            mistakes.append(f"line {number}: {labelled}")
        else:
            found.pop(labelled.text, None)
            found[labelled.text] = labelled
    if mistakes:
        raise ValueError("\n".join(mistakes))
    return list(found.values())


def from_alarm(
    texts: Sequence[str], verdicts: Verdicts, *, mark: Literal["false_alarm", "missed_alarm"]
) -> Iterator[Labelled]:
    """What an alert's mark says of its sample texts: in a false alarm those judged negative were not, in a missed one
    those not judged negative were. A weak label, hence its own source: training may weigh it less."""
    for text, label, score in zip(texts, verdicts.label, verdicts.text_score, strict=True):
        if mark == "false_alarm" and label == "negative":
            yield Labelled(text, "neutral", "false_alarm", score)
        elif mark == "missed_alarm" and label != "negative":
            yield Labelled(text, "negative", "missed_alarm", score)


def _labelled(line: str) -> Labelled | str:
    try:
        fields: object = json.loads(line)
    except ValueError:
        return "not JSON"
    if not isinstance(fields, Mapping):
        return "not an object"
    text, label, source, score = (fields.get(name) for name in ("text", "label", "source", "score"))
    if not isinstance(text, str) or not text.strip():
        return "text: must be a string that is not empty"
    if label not in LABELS:
        return f"label: {label!r} is not one of {', '.join(LABELS)}"
    if source not in SOURCES:
        return f"source: {source!r} is not one of {', '.join(SOURCES)}"
    if score is not None and not (isinstance(score, int | float) and 0 <= score <= 1):
        return f"score: {score!r} is not within 0 … 1"
    return Labelled(text, cast("Label", label), cast("Source", source), score)
