import json

import pytest

from sentiment import labels
from sentiment.judge import Verdicts
from sentiment.labels import Labelled, choose_doubtful, from_alarm, read_labels


def of(scores: list[float]) -> Verdicts:
    labels = ["negative" if score < 1 / 3 else "positive" if score > 2 / 3 else "neutral" for score in scores]
    return Verdicts(scores, scores, labels)


def test_the_most_doubtful_come_first_and_a_tenth_by_chance() -> None:
    scores = [number / 200 for number in range(200)]
    texts = [f"第{number}条" for number in range(200)]
    chosen = choose_doubtful(texts, of(scores), 20, seed=7)
    assert chosen[0] == 100
    assert sorted(chosen[:18]) == list(range(91, 109)) or sorted(chosen[:18]) == list(range(92, 110))
    assert len(set(chosen)) == 20
    assert chosen == choose_doubtful(texts, of(scores), 20, seed=7)
    assert chosen != choose_doubtful(texts, of(scores), 20, seed=8)


def test_a_text_is_chosen_once_and_an_empty_one_never() -> None:
    assert choose_doubtful(["好", "好", " ", "差"], of([0.5, 0.5, 0.5, 0.9]), 9, seed=1) == [0, 3]


def test_labels_are_read_as_written_and_the_last_of_a_text_counts() -> None:
    written = [
        Labelled("客服\n不理", "negative", "person", 0.4),
        Labelled("还行", "neutral", "false_alarm"),
        Labelled("客服\n不理", "neutral", "person", 0.4),
    ]
    lines = [labels.label_line(one) for one in written]
    assert all(("\n" not in line and "不理" in line) or "还行" in line for line in lines)
    assert read_labels([*lines, "", " \n"]) == written[1:]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "line 2: not JSON"),
        ("[]", "line 2: not an object"),
        ('{"text": "", "label": "neutral", "source": "person"}', "text"),
        ('{"text": "好", "label": "good", "source": "person"}', "label: 'good' is not one of"),
        ('{"text": "好", "label": "positive", "source": "me"}', "source: 'me' is not one of"),
        ('{"text": "好", "label": "positive", "source": "person", "score": 2}', "score: 2"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: str, complaint: str) -> None:
    good = labels.label_line(Labelled("好", "positive", "person"))
    with pytest.raises(ValueError, match=complaint):
        read_labels([good, line])


def test_all_bad_lines_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)line 1.*line 3"):
        read_labels(["x", labels.label_line(Labelled("好", "positive", "person")), json.dumps({})])


def test_a_mark_on_an_alarm_labels_those_texts_that_it_says_were_misread() -> None:
    texts, verdicts = ["一般般", "很好"], of([0.2, 0.9])
    assert list(from_alarm(texts, verdicts, mark="false_alarm")) == [Labelled("一般般", "neutral", "false_alarm", 0.2)]
    assert list(from_alarm(texts, verdicts, mark="missed_alarm")) == [Labelled("很好", "negative", "missed_alarm", 0.9)]
