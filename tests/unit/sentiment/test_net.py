import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.features import ngram_places
from sentiment.net import LONGEST_LOOK, Net, Sheet
from sentiment.normalize import Normalizer
from sentiment.training.netfit import NetSettings, Pupil, code, learn_vocabulary, teach

NORMALIZER = Normalizer(traditional="", simplified="")
SETTINGS = NetSettings(
    channels=8, levels=3, rounds=150, batch=8, rate=0.01, character_in=1, grams_in=(1, 1), blanked=0.0, kept=1.0
)
GOOD = ["质量很好", "很满意，会再来", "味道不错", "物流很快，满意"]
BAD = ["质量太差", "很失望，不会再来", "味道难吃", "物流太慢，失望"]
TEXTS = [*GOOD, *BAD]
TARGETS = np.array([0.95] * len(GOOD) + [0.05] * len(BAD), np.float32)
VOCABULARY = learn_vocabulary(NORMALIZER, TEXTS, SETTINGS)
CODED = code(VOCABULARY, NORMALIZER, TEXTS)


def taught() -> Net:
    return teach(CODED, TARGETS, np.ones(len(TEXTS), np.float32), VOCABULARY, SETTINGS)


NET = taught()


def judged(net: Net, texts: list[str]) -> list[float]:
    batch = NORMALIZER.batch(texts)
    found: list[float] = net.log_odds(batch, ngram_places(batch), np.arange(len(texts))).tolist()
    return found


def test_it_learns_good_from_bad() -> None:
    found = judged(NET, TEXTS)
    assert min(found[: len(GOOD)]) > 0 > max(found[len(GOOD) :])


def test_teaching_twice_gives_the_same_net() -> None:
    again = taught()
    assert judged(again, TEXTS) == judged(NET, TEXTS)
    assert all((one == other).all() for one, other in zip(again.grams, NET.grams, strict=True))


@given(st.lists(st.text(st.sampled_from("质量很好太差，失望 ab😀"), max_size=400), min_size=1, max_size=5))
def test_a_text_gets_the_same_alone_and_in_any_batch(texts: list[str]) -> None:
    together = judged(NET, texts)
    assert [judged(NET, [text])[0] for text in texts] == together


def test_of_a_long_text_beginning_and_end_count() -> None:
    half = LONGEST_LOOK // 2
    long = "很好，" * 100
    assert judged(NET, [long[:half] + "差" * 2 + long[-half:]]) == judged(NET, [long[:half] + "烂" * 2 + long[-half:]])
    assert judged(NET, ["太差" + long]) != judged(NET, [long])


def test_whole_numbers_are_near_the_floats_they_were_made_of() -> None:
    pupil = Pupil(int(VOCABULARY.characters.max()) + 1, [int(rows.max()) + 1 for rows in VOCABULARY.grams], SETTINGS)
    sheet = CODED.sheet(np.arange(len(TEXTS)), NET.cell)
    assert judged(pupil.in_whole_numbers(VOCABULARY), TEXTS) == pytest.approx(pupil.log_odds(sheet).tolist(), abs=0.02)


def test_gradients_agree_with_small_differences() -> None:
    pupil = Pupil(int(VOCABULARY.characters.max()) + 1, [int(rows.max()) + 1 for rows in VOCABULARY.grams], SETTINGS)
    pupil.parameters = {name: value.astype(np.float64) for name, value in pupil.parameters.items()}
    for name in ("offset", "offset0", "offset1", "offset2"):
        pupil.parameters[name] += 0.05
    sheet, ones = CODED.sheet(np.arange(len(TEXTS)), NET.cell), np.ones(len(TEXTS), np.float32)
    _, whole, rows = pupil.gradients(sheet, TARGETS, ones)
    for name, (ids, gradient) in rows.items():
        whole[name] = np.zeros_like(pupil.parameters[name])
        np.add.at(whole[name], ids, gradient)
    chance = np.random.default_rng(1)
    for name, gradient in whole.items():
        for _ in range(6):
            place = tuple(chance.integers(1 if name in rows and axis == 0 else 0, size)
                          for axis, size in enumerate(gradient.shape))  # fmt: skip
            assert _slope(pupil, sheet, name, place) == pytest.approx(gradient[place], abs=1e-5), name


def _slope(pupil: Pupil, sheet: Sheet, name: str, place: tuple[int, ...]) -> float:
    value, losses = pupil.parameters[name], []
    for shift in (1e-5, -2e-5):
        value[place] += shift
        losses.append(pupil.gradients(sheet, TARGETS, np.ones(len(TEXTS), np.float32))[0])
    value[place] += 1e-5
    return (losses[0] - losses[1]) / 2e-5
