from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="only the training needs scikit-learn")

from sentiment.features import ngram_places
from sentiment.normalize import Normalizer
from sentiment.training.corpora import Example, same_text_key
from sentiment.training.hints import NO_HINTS
from sentiment.training.netfit import NetSettings
from sentiment.training.second import SecondSettings, second_looks

NORMALIZER = Normalizer(traditional="", simplified="")
NET = NetSettings(channels=8, rounds=4, batch=32, rate=0.01, character_in=1, grams_in=(2,))


def made(count: int) -> list[Example]:
    """What counts stands behind the turn, so that the two halves alone say nothing."""
    texts = [
        (f"第{number}次，{halves[0]}，但是{halves[1]}", halves[1] == "很好")
        for number in range(count)
        for halves in (("很差", "很好"), ("很好", "很差"))
    ]
    return [Example("made", text, positive, same_text_key(text)) for text, positive in texts]


def test_it_learns_what_the_first_look_could_not_say() -> None:
    seen = [example for example in made(1600) if not example.held_out]
    look = second_looks(NORMALIZER, seen, np.zeros(len(seen)), [], NO_HINTS, SecondSettings(), [NET, NET])[0]
    batch = NORMALIZER.batch(["很差，但是很好", "很好，但是很差"])
    found = look.log_odds(np.zeros(2), batch, ngram_places(batch))
    assert found[0] > 1 > -1 > found[1]
    sure = np.array([5.0, -5.0])
    assert (look.log_odds(sure, batch, ngram_places(batch)) == sure).all()


def test_too_few_doubtful_texts_give_no_second_look() -> None:
    seen = made(50)
    assert second_looks(NORMALIZER, seen, np.zeros(len(seen)), [], NO_HINTS, SecondSettings(), [NET, NET]) == []


def test_side_by_side_the_nets_learn_the_same() -> None:
    seen, small = made(1400), replace(NET, rounds=1)
    one, other = (
        second_looks(
            NORMALIZER, seen, np.zeros(len(seen)), [], NO_HINTS, SecondSettings(), [small, small], processes=processes
        )
        for processes in (1, 2)
    )
    assert 0 < len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        assert (left.of_linear, left.of_net, left.bias) == (right.of_linear, right.of_net, right.bias)
        assert all(np.array_equal(a, b) for a, b in zip(left.net.kernels, right.net.kernels, strict=True))


def test_what_only_the_nets_are_taught_reaches_them() -> None:
    seen = made(1600)
    hints, settings = NO_HINTS, SecondSettings()
    batch = NORMALIZER.batch(["呵呵呵"])
    said = []
    for wanted in (0.95, 0.05):
        lessons = [("呵呵呵", wanted)] * 200
        look = second_looks(
            NORMALIZER, seen, np.zeros(len(seen)), [], hints, settings, [replace(NET, rounds=2)], for_nets=lessons
        )[0]
        said.append(look.net.log_odds(batch, ngram_places(batch), np.arange(1))[0])
    assert said[0] > 1 > -1 > said[1]


def test_the_nets_never_learn_from_what_weighs_them() -> None:
    seen = made(1600)
    told: list[str] = []
    second_looks(
        NORMALIZER, seen, np.zeros(len(seen)), [], NO_HINTS, SecondSettings(), [replace(NET, rounds=1)], told.append
    )
    weighing = sum(example.weighing for example in seen)
    assert 100 < weighing < sum(example.tuning for example in seen)
    assert told[0] == f"{len(seen) - weighing + 400} texts to learn from"
