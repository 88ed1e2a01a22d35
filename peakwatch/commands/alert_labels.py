"""`peakwatch alerts labels`: what false alarms quoted, as labels by which the judge is trained again."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

import sentiment.judge
from peakwatch import labelling
from peakwatch.terminal import question_terminal
from schemas.errors import PermanentError
from sentiment.labels import label_line
from storage.history import History


def write_labels(arguments: argparse.Namespace, history: History, *, now_ms: int) -> int:
    """Write or ask for the labels, and tell how many there were."""
    marks = history.false_alarms(since_ms=now_ms - arguments.since)
    alerts = [one for mark in marks for one in history.transitions(mark.alert_id)]
    judge = sentiment.judge.load()
    known = frozenset(labelling.known_texts(Path(arguments.out))) if arguments.out else frozenset()
    with ExitStack() as stack:
        try:
            out = stack.enter_context(open(arguments.out, "ab")) if arguments.out else sys.stdout.buffer
        except OSError as error:
            raise PermanentError(f"{arguments.out}: {error.strerror or error}") from None
        if arguments.ask:
            quotes = [one for one in labelling.quotes_of_marks(alerts, marks, judge) if one[0] not in known]
            ask = stack.enter_context(question_terminal())
            count, what = labelling.ask_about(quotes, out, ask=ask), "labels" if ask else "texts to be labelled"
        else:
            weak = (one for one in labelling.labels_of_marks(alerts, marks, judge) if one.text not in known)
            count, what = labelling.write_lines(map(label_line, weak), out), "neutral labels"
    false = len({mark.alert_id for mark in marks})
    print(f"peakwatch: {count} {what} of {false} false alarm{'' if false == 1 else 's'}", file=sys.stderr)
    return 0
