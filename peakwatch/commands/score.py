"""`peakwatch score`."""

import sys
from typing import Final

EXAMPLES: Final = """examples:
  echo 物流太慢了，客服也不理人 | peakwatch score
  peakwatch score < reviews.txt > scores.tsv
  peakwatch score --explain < reviews.txt
  peakwatch score --jsonl < reviews.txt
  peakwatch score --label 50 --out labels.jsonl < reviews.txt

A line of input is one text; a line of output is score<TAB>label. The score is the probability that the text is
positive: 0 negative, 1 positive. Lines are answered as they come: tail -f may feed them, and a program may ask
line by line.

--label N picks the N texts that the judge is least sure of (one in ten by chance), masks them, and asks you about one
after the other; without a terminal it writes them with an empty label, to be filled in. What comes of it goes to
python -m sentiment.train --data FILE."""

USAGE: Final = "usage: peakwatch score [--jsonl | --explain | --label N] (texts on standard input; --help tells more)"


def add_arguments(parser: "argparse.ArgumentParser") -> None:  # type: ignore[name-defined]  # noqa: F821
    """For `--help`; `main` reads the arguments itself, since a parser takes longer to load than the judge."""
    parser.add_argument(
        "--jsonl", action="store_true", help="write JSON objects with score, label, validity and aspects"
    )
    parser.add_argument("--explain", action="store_true", help="show the pieces of each text that moved its score")
    parser.add_argument("--label", type=_count, metavar="N", help="ask about the N most doubtful texts")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the chance in --label (default: 0)")
    parser.add_argument("--out", metavar="FILE", help="add the labels to this file (default: standard output)")


def _count(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word[:8]) <= 1_000_000:
        import argparse

        raise argparse.ArgumentTypeError(f"{word} is not within 1 to 1000000")
    return int(word)


def main(arguments: list[str]) -> int:
    """Judge standard input line by line, or let a person judge some of it."""
    if any(word.partition("=")[0] in ("--label", "--seed", "--out") for word in arguments):
        return _label(arguments)
    unknown = [word for word in arguments if word not in ("--jsonl", "--explain")]
    if unknown:
        print(f"peakwatch: score: {unknown[0]!r} is not known\n{USAGE}", file=sys.stderr)
        return 2
    if len(set(arguments)) > 1:
        print(f"peakwatch: score: --jsonl and --explain exclude each other\n{USAGE}", file=sys.stderr)
        return 2
    from peakwatch.scoring import score_explained, score_jsonl, score_plain

    write = score_explained if "--explain" in arguments else score_jsonl if "--jsonl" in arguments else score_plain
    write(sys.stdin.buffer, sys.stdout.buffer)
    return 0


def _label(arguments: list[str]) -> int:
    import argparse
    from contextlib import ExitStack
    from pathlib import Path

    from peakwatch.labelling import known_texts, label_round
    from peakwatch.terminal import question_terminal
    from schemas.errors import PermanentError

    parser = argparse.ArgumentParser(prog="peakwatch score", usage=USAGE.removeprefix("usage: "), allow_abbrev=False)
    add_arguments(parser)
    chosen = parser.parse_args(arguments)
    if chosen.label is None or chosen.jsonl or chosen.explain:
        parser.error("--label N stands without --jsonl and --explain; --seed and --out belong to it")
    known = known_texts(Path(chosen.out)) if chosen.out else []
    with ExitStack() as stack:
        try:
            out = stack.enter_context(open(chosen.out, "ab")) if chosen.out else sys.stdout.buffer
        except OSError as error:
            raise PermanentError(f"{chosen.out}: {error.strerror or error}") from None
        ask = stack.enter_context(question_terminal())
        count = label_round(sys.stdin.buffer, out, n=chosen.label, seed=chosen.seed, known=known, ask=ask)
    print(f"peakwatch: {count} {'labels' if ask else 'texts to be labelled'}", file=sys.stderr)
    return 0
