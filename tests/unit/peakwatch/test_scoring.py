import json
import math
from io import BytesIO

import pytest

from peakwatch.scoring import score_explained, score_jsonl


def test_explaining_says_which_texts_were_taken_for_mere_statements() -> None:
    out = BytesIO()
    score_explained(BytesIO("昨天签收的\n昨天签收的，质量太差\n".encode()), out)
    told = [line for line in out.getvalue().decode().split("\n") if "\t" not in line or not line.startswith(" ")]
    assert [line.split("\t")[-1].strip() for line in told if line] == [
        "neutral",
        "states facts, takes no stance: its log-odds are cut to the neutral band",
        "negative",
    ]


def explained(text: str) -> list[str]:
    out = BytesIO()
    score_explained(BytesIO(f"{text}\n".encode()), out)
    return out.getvalue().decode().splitlines()


def test_pieces_and_the_rest_add_up_to_the_score() -> None:
    first, *pieces = explained("不是不好，就是物流有点慢，客服態度也一般")
    score = float(first.split("\t")[0])
    total = sum(float(line.split("\t")[0]) for line in pieces)
    assert 1 / (1 + math.exp(-total)) == pytest.approx(score, abs=0.002)


def test_a_text_that_commands_the_terminal_is_explained_without_its_commands() -> None:
    assert "\x1b" not in "\n".join(explained("客服\x1b[31m太差\x1b[0m，垃圾\r质量很好"))


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [("質量很差，客服態度惡劣", "质量很差，客服态度恶劣"), ("發貨太慢，是假貨", "发货太慢，是假货")],
)
def test_traditional_characters_speak_of_the_same_aspects(traditional: str, simplified: str) -> None:
    out = BytesIO()
    score_jsonl(BytesIO(f"{traditional}\n{simplified}\n".encode()), out)
    first, second = (json.loads(line)["aspects"] for line in out.getvalue().splitlines())
    assert first == second
    assert {one["polarity"] for one in first} == {-1.0}
