from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sentiment.features import ngram_places
from sentiment.model import WEIGHTS, SecondLook, pack_weights, read_weights
from sentiment.normalize import Normalizer
from sentiment.training.netfit import NetSettings, Pupil, learn_vocabulary

VARIANTS = ("爛", "烂")


def pack(path: Path, looks: Sequence[SecondLook] = ()) -> None:
    normalizer = Normalizer(traditional=VARIANTS[0], simplified=VARIANTS[1])
    batch = normalizer.batch(["好烂"])
    good, bad = (int(ngram_places(batch)[0][batch.starts[0] + offset]) for offset in (1, 2))
    order = np.argsort([good, bad])
    pack_weights(
        path,
        places=np.array([good, bad], dtype=np.int64)[order],
        weights=np.array([2.0, -2.0])[order],
        masses=np.array([1.0, 1.0])[order],
        slope=1.5,
        floor=3.0,
        bias=0.25,
        longest=4,
        variants=VARIANTS,
        looks=looks,
    )


def test_log_odds_follow_the_formula(tmp_path: Path) -> None:
    pack(tmp_path / "weights.npz")
    weights = read_weights(tmp_path / "weights.npz")
    found = weights.linear.log_odds(weights.normalizer.batch(["好", "爛", "好烂", "木"]))
    assert found.tolist() == pytest.approx([1.75, -1.25, 0.25, 0.25], abs=0.01)


def test_only_what_is_still_doubtful_gets_the_next_look_also_after_a_round_trip(tmp_path: Path) -> None:
    settings = NetSettings(channels=8, character_in=1, grams_in=(1,))
    vocabulary = learn_vocabulary(Normalizer(traditional="", simplified=""), ["好烂"], settings)
    one, other = (Pupil(5, [5], replace(settings, seed=seed)).in_whole_numbers(vocabulary) for seed in (1, 2))
    looks = [
        SecondLook(one, below=1.0, of_linear=0.5, of_net=1.0, bias=0.5),
        SecondLook(other, below=1.5, of_linear=1.0, of_net=2.0, bias=0.25),
    ]
    pack(tmp_path / "weights.npz", looks)
    weights = read_weights(tmp_path / "weights.npz")
    batch = weights.normalizer.batch(["好", "烂", "好烂", "木"])
    first, found = weights.linear.log_odds(batch), weights.log_odds(batch)
    assert found[0] == first[0]
    expected = first.copy()
    for look in looks:
        asked = np.flatnonzero(np.abs(expected) < look.below)
        said = look.net.log_odds(batch, ngram_places(batch), asked)
        expected[asked] = look.of_linear * expected[asked] + look.of_net * said + look.bias
        assert 0 < len(asked) < len(expected)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-9)


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    pack(tmp_path / "one.npz")
    pack(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "weights.npz"
    broken.write_bytes(WEIGHTS.read_bytes()[:1000])
    with pytest.raises((ValueError, OSError)):
        read_weights(broken)
    with pytest.raises(OSError, match="nothing"):
        read_weights(tmp_path / "nothing.npz")


def test_the_committed_weights_are_small_and_say_where_they_come_from() -> None:
    assert WEIGHTS.stat().st_size < 12 * 2**20
    origin = WEIGHTS.with_suffix(".origin.json").read_text(encoding="utf-8")
    for word in ("licence", "command", "seed", "held_out", "date"):
        assert f'"{word}"' in origin
