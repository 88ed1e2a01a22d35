from collections import defaultdict

from sentiment.lexicon import NEGATIVE_EMOJI, POSITIVE_EMOJI, lines
from sentiment.training.corpora import same_text_key
from tests.unit.sentiment.sentiment_cases import HARD_CASES, LATER_CASES, STANCE_CASES


def test_no_emoji_stands_on_both_sides() -> None:
    assert not set(POSITIVE_EMOJI) & set(NEGATIVE_EMOJI)


def test_a_line_with_both_labels_is_a_fact_and_comes_as_often_with_each() -> None:
    labels: defaultdict[str, list[bool]] = defaultdict(list)
    for text, positive in lines():
        labels[text].append(positive)
    both = [text for text, found in labels.items() if len(set(found)) == 2]
    assert "收到了" in both
    assert all(sum(labels[text]) * 2 == len(labels[text]) for text in both)


def test_lines_come_in_one_order() -> None:
    assert list(lines()) == list(lines())


def test_no_later_hand_written_case_is_a_line_word_for_word() -> None:
    known = {same_text_key(text) for text, _ in lines()}
    later = (*LATER_CASES, *STANCE_CASES, *HARD_CASES)
    assert not [text for _, text, _ in later if same_text_key(text) and same_text_key(text) in known]
