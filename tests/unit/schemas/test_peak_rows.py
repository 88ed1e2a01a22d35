"""The plan as rows: an edition is one run of phases, named by its year."""

import pytest

from schemas.peak_rows import peak_rows
from schemas.peaks import Peaks, parse_peaks


def plan(*phases: tuple[str, str, str]) -> Peaks:
    listed = [{"name": name, "from": start, "to": end} for name, start, end in phases]
    return parse_peaks({"peaks": [{"name": "sale", "title": "大促", "phases": listed}]}, source="plan")


@pytest.mark.parametrize(
    ("phases", "editions"),
    [
        pytest.param(
            (("预售", "2026-10-15", "2026-10-20"), ("高潮", "2026-11-10", "2026-11-12")), ["2026", "2026"],
            id="one",
        ),
        pytest.param(
            (("高潮", "2026-11-10", "2026-11-12"), ("高潮", "2027-11-10", "2027-11-12")), ["2026", "2027"],
            id="two",
        ),
        pytest.param(
            (("预热", "2026-12-28", "2026-12-31"), ("专场", "2027-01-01", "2027-01-05")), ["2027", "2027"],
            id="new year",
        ),
    ],
)  # fmt: skip
def test_an_edition_is_a_run_of_phases(phases: tuple[tuple[str, str, str], ...], editions: list[str]) -> None:
    assert [row.edition for row in peak_rows(plan(*phases))] == editions


def test_the_year_is_that_of_the_plans_own_zone() -> None:
    (row,) = peak_rows(plan(("专场", "2027-01-01", "2027-01-02")))  # in UTC it begins in 2026
    assert row.edition == "2027"
    assert (row.peak, row.title, row.starts_at) == ("sale", "大促", 1_798_732_800_000)


def test_a_phase_that_comes_again_has_a_key_of_its_own() -> None:
    rows = peak_rows(plan(("专场", "2026-05-01", "2026-05-02"), ("专场", "2026-05-03", "2026-05-04")))
    assert [row.phase for row in rows] == ["专场", "专场 2"]
