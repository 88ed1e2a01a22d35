"""`peakwatch score`."""

import sys
from typing import Final

EXAMPLES: Final = """examples:
  echo 物流太慢了，客服也不理人 | peakwatch score
  peakwatch score < reviews.txt > scores.tsv
  peakwatch score --explain < reviews.txt
  peakwatch score --jsonl < reviews.txt

A line of input is one text; a line of output is score<TAB>label. The score is the probability that the text is
positive: 0 negative, 1 positive."""

USAGE: Final = "usage: peakwatch score [--jsonl] [--explain] (texts on standard input; --help tells more)"


def add_arguments(parser: "argparse.ArgumentParser") -> None:  # type: ignore[name-defined]  # noqa: F821
    """For `--help`; `main` reads the arguments itself, since a parser takes longer to load than the judge."""
    parser.add_argument(
        "--jsonl", action="store_true", help="write JSON objects with score, label, validity and aspects"
    )
    parser.add_argument("--explain", action="store_true", help="show the pieces of each text that moved its score")


def main(arguments: list[str]) -> int:
    """Judge standard input line by line."""
    unknown = [word for word in arguments if word not in ("--jsonl", "--explain")]
    if unknown:
        print(f"peakwatch: score: {unknown[0]!r} is not known\n{USAGE}", file=sys.stderr)
        return 2
    from peakwatch.scoring import score_explained, score_jsonl, score_plain

    write = score_explained if "--explain" in arguments else score_jsonl if "--jsonl" in arguments else score_plain
    write(sys.stdin.buffer, sys.stdout.buffer)
    return 0
