import csv
import json
from pathlib import Path

import pytest

from sentiment.training.corpora import Example, read_files, same_text_key, without_copies

pytest.importorskip("sklearn", reason="only the training needs scikit-learn")

from sentiment.judge import Judge
from sentiment.model import read_weights
from sentiment.train import train
from sentiment.training.fit import Settings


def example(text: str, *, positive: bool) -> Example:
    return Example(source="made", text=text, positive=positive, key=same_text_key(text))


MADE = [
    example(f"第{number}次买{thing}，{facet}{words}", positive=positive)
    for number in range(40)
    for thing, facet in (("书", "质量"), ("鞋", "质量"), ("灯", "做工"), ("笔", "颜色"))
    for words, positive in (("很好很满意", True), ("太差很失望", False))
]

FACTS = [f"{when}{what}" for when in ("今天", "昨天", "上周", "周一") for what in ("收到", "签收", "下的单", "拆的")]
HARMS = [f"{what}{how}" for what in ("盖子", "线", "书", "灯") for how in ("没了", "少一个", "断了")]


def test_training_twice_gives_the_same_bytes_and_tells_good_from_bad(tmp_path: Path) -> None:
    told = [train(MADE, Settings(), tmp_path / name, facts=FACTS, harms=HARMS) for name in ("one.npz", "two.npz")]
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert told[0] == told[1]
    judge = Judge(read_weights(tmp_path / "one.npz"))
    assert judge.judge_batch(["鞋子质量很好", "鞋子质量太差"]).label == ["positive", "negative"]
    assert judge.statements(["昨天收到", "昨天收到，太差"]) == [True, False]


def test_nothing_held_out_is_learnt_from(tmp_path: Path) -> None:
    told = train(MADE, Settings(), tmp_path / "weights.npz", facts=FACTS, harms=HARMS)
    held_out = sum(made.held_out for made in MADE)
    assert 0 < held_out < len(MADE)
    assert told["texts"] == {"made": len(MADE) - held_out}


def test_copies_that_differ_in_blanks_count_once_and_disputed_ones_not_at_all() -> None:
    texts = [example("很 好！", positive=True), example("很好", positive=True), example("一般", positive=True)]
    assert [kept.text for kept in without_copies([*texts, example("一般。", positive=False)])] == ["很 好！"]


def test_tables_and_label_files_are_read(tmp_path: Path) -> None:
    table, labels = tmp_path / "reviews.csv", tmp_path / "labels.jsonl"
    with table.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["category", "label", "text"], ["书", "1", "好,看"], ["书", "0", "差"]])
    pairs = (("坏", "negative"), ("嗯", "neutral"))
    rows = [{"text": text, "label": label, "source": "person"} for text, label in pairs]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = [(read.text, read.positive) for read in read_files([table, labels])]
    assert found == [("好,看", True), ("差", False), ("坏", False)]


def test_a_row_without_a_label_is_named(tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text("category,label,text\n书,2,好\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"reviews\.csv row 2"):
        list(read_files([table]))


def test_every_bad_line_of_a_label_file_is_named_with_the_file(tmp_path: Path) -> None:
    labels = tmp_path / "marks.jsonl"
    labels.write_text('nothing\n{"text": "好", "label": "great", "source": "person"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"\Amarks\.jsonl line 1: not JSON\nmarks\.jsonl line 2: label: 'great'"):
        list(read_files([labels]))


@pytest.mark.parametrize("name", ["reviews.csv", "marks.jsonl"])
def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("category,label,text\n书,1,好".encode("gb18030"))
    with pytest.raises(ValueError, match=name):
        list(read_files([tmp_path / name]))
