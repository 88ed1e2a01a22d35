"""`peakwatch score`: lines of text in, lines of verdicts out, in batches."""

import json
from collections.abc import Iterator
from typing import IO, Final

from peakwatch.lines_in import arrived
from peakwatch.terminal import readable
from sentiment.judge import Judge, load, score_lines


def score_plain(source: IO[bytes], out: IO[bytes]) -> None:
    """`score<TAB>label` a line, the contract's form."""
    judge = load()
    for lines in arrived(source):
        for line in score_lines(judge, lines):
            out.write(line.encode() + b"\n")
        out.flush()


def score_jsonl(source: IO[bytes], out: IO[bytes]) -> None:
    """A JSON object a line, with what else is known of the text."""
    from sentiment.aspects import aspects
    from sentiment.validity import validity

    judge = load()
    simplified = judge.weights.normalizer.simplified
    for lines in arrived(source):
        texts = [raw.decode("utf-8", "replace") for raw in lines]
        verdicts = judge.judge_batch(texts)
        for text, score, label in zip(texts, verdicts.score, verdicts.label, strict=True):
            about = [{"name": aspect.name, "polarity": aspect.polarity} for aspect in aspects(simplified(text))]
            line = {"score": score, "label": label, "invalid": validity(text), "aspects": about}
            out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        out.flush()


def score_explained(source: IO[bytes], out: IO[bytes]) -> None:
    """`score<TAB>label` a line, below it whether the text was taken for a mere statement, and the pieces that moved the
    score, in log-odds, the strongest first; with the rest they add up to the score's."""
    judge = load()
    for lines in arrived(source):
        for raw in lines:
            for line in _explained(judge, raw.decode("utf-8", "replace")):
                out.write(line.encode("utf-8", "replace") + b"\n")
        out.flush()


def _explained(judge: Judge, text: str) -> Iterator[str]:
    from sentiment.explain import explain

    verdict = judge.judge_batch([text])
    yield f"{verdict.score[0]:.6f}\t{verdict.label[0]}"
    if judge.statements([text])[0]:
        yield "    states facts, takes no stance: its log-odds are cut to the neutral band"
    rest = float(judge.log_odds([text])[0])
    for piece in explain(judge, text):
        rest -= piece.log_odds
        yield f"    {piece.log_odds:+.3f}\t{readable(text[piece.begin : piece.end])}"
    if abs(rest) >= _LEAST_REST:
        yield f"    {rest:+.3f}\t(the rest: faint characters, and where the judge begins)"


_LEAST_REST: Final = 0.0005
