"""`peakwatch score`: lines of text in, lines of verdicts out, in batches."""

import json
from typing import IO, Final

from peakwatch.terminal import readable
from sentiment.judge import load, score_lines


def score_plain(source: IO[bytes], out: IO[bytes]) -> None:
    """`score<TAB>label` a line, the contract's form."""
    for line in score_lines(load(), source):
        out.write(line.encode() + b"\n")
    out.flush()


def score_jsonl(source: IO[bytes], out: IO[bytes]) -> None:
    """A JSON object a line, with what else is known of the text."""
    from sentiment.aspects import aspects
    from sentiment.validity import validity

    judge = load()
    simplified = judge.weights.normalizer.simplified
    for raw in source:
        text = raw.decode("utf-8", "replace").removesuffix("\n")
        verdict = judge.judge_batch([text])
        line = {
            "score": verdict.score[0],
            "label": verdict.label[0],
            "invalid": validity(text),
            "aspects": [{"name": aspect.name, "polarity": aspect.polarity} for aspect in aspects(simplified(text))],
        }
        out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    out.flush()


def score_explained(source: IO[bytes], out: IO[bytes]) -> None:
    """`score<TAB>label` a line, below it whether the text was taken for a mere statement, and the pieces that moved the
    score, in log-odds, the strongest first; with the rest they add up to the score's."""
    from sentiment.explain import explain

    judge = load()
    for raw in source:
        text = raw.decode("utf-8", "replace").removesuffix("\n")
        verdict = judge.judge_batch([text])
        out.write(f"{verdict.score[0]:.6f}\t{verdict.label[0]}\n".encode())
        if judge.statements([text])[0]:
            out.write(b"    states facts, takes no stance: its log-odds are cut to the neutral band\n")
        rest = float(judge.log_odds([text])[0])
        for piece in explain(judge, text):
            rest -= piece.log_odds
            shown = readable(text[piece.begin : piece.end])
            out.write(f"    {piece.log_odds:+.3f}\t{shown}\n".encode("utf-8", "replace"))
        if abs(rest) >= _LEAST_REST:
            out.write(f"    {rest:+.3f}\t(the rest: faint characters, and where the judge begins)\n".encode())
    out.flush()


_LEAST_REST: Final = 0.0005
