from pathlib import Path

import numpy as np

from sentiment.normalize import Normalizer
from sentiment.training.hints import NO_HINTS, fold, read_hints, write_hints

NORMALIZER = Normalizer(traditional="爛", simplified="烂")
FOLDED = ["质量很好，物流很快，下次再来。", "客服不理人！等了三天，退货", "一般"]


def test_opinions_are_found_again_by_the_text(tmp_path: Path) -> None:
    write_hints(FOLDED, np.array([3.5, -99.0, 0.125]), tmp_path / "hints.npz")
    hints = read_hints(tmp_path / "hints.npz")
    assert hints.of(FOLDED).tolist() == [3.5, -15.0, 0.125]
    assert np.isnan(hints.of(["没见过"])).all()
    assert np.isnan(NO_HINTS.of(FOLDED)).all()


def test_many_opinions_come_back_from_the_file(tmp_path: Path) -> None:
    texts = [f"第{number}次买" for number in range(2000)]
    said = np.arange(2000) % 200 / 8 - 12
    write_hints(texts, said, tmp_path / "hints.npz")
    assert read_hints(tmp_path / "hints.npz").of(texts).tolist() == said.tolist()


def test_the_large_model_was_shown_folded_texts_with_two_faces() -> None:
    assert fold(NORMALIZER, ["太爛了👎💩", "ＯＫ👍"]) == ["太烂了😡😡", "ok😊"]
