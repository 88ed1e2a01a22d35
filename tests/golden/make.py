"""What a replay gave when somebody last looked at it closely: `python -m tests.golden.make` writes it anew.

`minute`: a dozen lines by hand, every output in full. `evening`: half a day of seeded events with a wave of bad reviews
and tickets that breach; its windows are kept as a digest. Look at the difference before you commit it.
"""

import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from peakwatch.config import load_config
from peakwatch.replay import Outputs, replay

HERE: Final = Path(__file__).resolve().parent
CASES: Final = ("minute", "evening")
START_MS: Final = 1_794_279_600_000  # 2026-11-10T11:00:00+08:00
SPACING_MS: Final = 8_000
GOOD: Final = ("质量很好，很满意", "物流很快，包装完好", "手感不错，推荐购买", "性价比高，下次再来")
BAD: Final = ("屏幕碎了，太差劲", "物流太慢，等了一周", "客服态度很差，不理人", "质量差，用两天就坏了")


def evening(count: int = 4000) -> Iterator[dict[str, Any]]:
    """Reviews of four categories, of which 手机 turns bad for a while; a ticket now and then, some never answered."""
    rnd = random.Random(20261111)
    for number in range(count):
        at_ms = START_MS + number * SPACING_MS - rnd.randrange(20_000)
        category = rnd.choice(("手机", "家电", "服饰", "食品"))
        common = {
            "event_id": f"e{number}",
            "event_time": at_ms,
            "category": category,
            "region": rnd.choice(("华东", "华北")),
        }
        if number % 100 == 7:
            ticket = {"topic": "tickets", "ticket_id": f"t{number}", **common}
            yield {**ticket, "action": "created", "priority": rnd.choice(("high", "normal"))}
            if rnd.random() < 0.7:
                after_ms = rnd.randrange(60_000, 2 * 3_600_000)
                yield {**ticket, "event_id": f"e{number}-2", "event_time": at_ms + 1, "action": "pending"}
                yield {
                    **ticket,
                    "event_id": f"e{number}-3",
                    "event_time": at_ms + after_ms % 3000,
                    "action": "agent_reply",
                }
        else:
            wave = category == "手机" and count * 0.6 < number < count * 0.68
            bad = rnd.random() < (0.7 if wave else 0.1)
            yield {
                "topic": "reviews", "review_id": f"r{number}", "customer_id": f"c{number}", **common,
                "text": rnd.choice(BAD if bad else GOOD), "rating": rnd.choice((1, 2) if bad else (4, 5)),
            }  # fmt: skip


def outcome(case: str) -> dict[str, bytes]:
    """The files of a case as a replay writes them now."""
    with tempfile.TemporaryDirectory() as folder:
        source = HERE / case / "events.jsonl"
        if not source.exists():
            source = Path(folder) / "events.jsonl"
            source.write_bytes(b"".join(json.dumps(event).encode() + b"\n" for event in evening()))
        files = {name: Path(folder) / f"{name}.jsonl" for name in ("windows", "sla", "alerts")}
        summary = replay(
            [str(source)],
            load_config(),
            outputs=Outputs(alerts=files["alerts"], windows=files["windows"], sla=files["sla"]),
        )
        found = {f"{name}.jsonl": path.read_bytes() for name, path in files.items()}
    counts = {name: getattr(summary, name) for name in ("events", "dead_letters", "late", "duplicates", "alerts")}
    found["summary.json"] = json.dumps(counts).encode() + b"\n"
    if case == "evening":
        found["windows.sha256"] = hashlib.sha256(found.pop("windows.jsonl")).hexdigest().encode() + b"\n"
    return found


def main() -> int:
    """Write every case's files."""
    for case in CASES:
        for name, content in outcome(case).items():
            (HERE / case / name).write_bytes(content)
            print(f"{case}/{name}: {len(content)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
