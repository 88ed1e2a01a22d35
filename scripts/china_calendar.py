"""Writes China's public holidays and moved working days into `sla/assets/calendars.yaml`.

The table comes from the package `chinesecalendar`, which follows the State Council's yearly notices. Run it
when a new notice is out and the package has been raised: `python scripts/china_calendar.py`.
"""

import datetime as dt
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from chinese_calendar.constants import holidays, workdays

TARGET = Path(__file__).parents[1] / "sla" / "assets" / "calendars.yaml"
YEARS = (2025, 2026, 2027)
NOTICES = {
    2025: "国务院办公厅关于2025年部分节假日安排的通知, 2024-11-12",
    2026: "国务院办公厅关于2026年部分节假日安排的通知, 2025-11-04",
}
CALENDARS = """
calendars:
  cn-office:                     # Monday to Friday and the moved working days, as China's offices work
    timezone: Asia/Shanghai
    hours:
      mon-fri: 09:00-18:00
    holidays: *china-holidays
    workdays: *china-workdays
  cn-service:                    # a service desk of every day, public holidays too
    timezone: Asia/Shanghai
    hours:
      mon-sun: 09:00-21:00
"""


def main() -> int:
    """Write the file; the years that the package does not know are named in it and left empty."""
    TARGET.write_text(document(), encoding="utf-8")
    print(TARGET)
    return 0


def document() -> str:
    """The file's text: the same bytes for the same version of the package."""
    known = [year for year in YEARS if any(day.year == year for day in holidays)]
    lines = [
        "# Working calendars that ship. Written by scripts/china_calendar.py; do not edit: add calendars in a",
        "# file of your own (`--calendar`).",
        f"# Source: the package chinesecalendar {version('chinesecalendar')} (MIT), after the notices named here.",
    ]
    for year in YEARS:
        lines += [f"# {year}: {NOTICES.get(year, 'see the package')}."] if year in known else _unknown(year)
    lines += ["", "x-china:"]
    lines += _listed("holidays", known, holidays)
    lines += _listed("workdays", known, workdays)
    return "\n".join(lines) + "\n" + CALENDARS


def _unknown(year: int) -> list[str]:
    return [
        f"# {year}: no notice in the package yet. Nothing is invented: {year} counts as plain weeks until the",
        "#       package is raised and the script run again, or a calendar of your own names the days.",
    ]


def _listed(name: str, years: list[int], days: Iterable[dt.date]) -> list[str]:
    lines = [f"  {name}: &china-{name}"]
    for year in years:
        for first, last in _runs(sorted(day for day in days if day.year == year)):
            lines.append(f"    - {first}" if first == last else f"    - {first}..{last}")
    return lines


def _runs(days: list[dt.date]) -> list[tuple[dt.date, dt.date]]:
    runs: list[tuple[dt.date, dt.date]] = []
    for day in days:
        if runs and runs[-1][1] + dt.timedelta(days=1) == day:
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


if __name__ == "__main__":
    sys.exit(main())
