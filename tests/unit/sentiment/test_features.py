import numpy as np

from sentiment.features import LONGEST, NOWHERE, TABLE_SIZE, ngram_places
from sentiment.normalize import Normalizer

NORMALIZER = Normalizer(traditional="", simplified="")


def places_of(texts: list[str], which: int) -> list[int]:
    batch = NORMALIZER.batch(texts)
    begin, end = batch.starts[which], batch.starts[which + 1]
    found = np.concatenate([place[begin:end] for place in ngram_places(batch)])
    return sorted(found[found != NOWHERE].tolist())


def test_ngrams_do_not_depend_on_the_neighbours() -> None:
    for text in ("", "好", "很好", "质量真的不错"):
        assert places_of([text], 0) == places_of(["垃圾", text, "太差了", ""], 1)


def test_every_ngram_inside_the_borders_is_counted_once() -> None:
    length = 6  # symbols, with a boundary before and after
    expected = length + sum(length + 2 - n + 1 for n in range(2, LONGEST + 1))
    assert len(places_of(["质量真的不错"], 0)) == expected


def test_places_lie_in_the_table_and_order_matters() -> None:
    assert all(0 <= place < TABLE_SIZE for place in places_of(["不是好"], 0))
    assert places_of(["不是好"], 0) != places_of(["好是不"], 0)
