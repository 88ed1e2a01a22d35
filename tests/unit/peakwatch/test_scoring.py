from io import BytesIO

from peakwatch.scoring import score_explained


def test_explaining_says_which_texts_were_taken_for_mere_statements() -> None:
    out = BytesIO()
    score_explained(BytesIO("昨天签收的\n昨天签收的，质量太差\n".encode()), out)
    told = [line for line in out.getvalue().decode().split("\n") if "\t" not in line or not line.startswith(" ")]
    assert [line.split("\t")[-1].strip() for line in told if line] == [
        "neutral",
        "states facts, takes no stance: its log-odds are cut to the neutral band",
        "negative",
    ]
