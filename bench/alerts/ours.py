"""Our detector over a stream."""

import time
from typing import Final

from alerts.decision import Decision
from alerts.detectors.spikes import SpikeConfig, SpikeDetector
from bench.alerts.generate import Stream
from bench.alerts.observe import Bools, observations
from bench.alerts.score import Fired
from bench.alerts.world import Floats

KINDS: Final = {"negative_spike": "review", "complaint_spike": "complaint"}


def run(
    stream: Stream, negativity: Floats, config: SpikeConfig, *, called: Bools | None = None
) -> tuple[list[Fired], float, list[Decision]]:
    """What it raised, the seconds that the detector itself took, and all decisions."""
    detector = SpikeDetector(config)
    decisions: list[Decision] = []
    spent = 0.0
    for newest, batch in observations(stream, negativity, called):
        begun = time.process_time()
        detector.observe(batch)
        decisions += detector.advance(newest)
        spent += time.process_time() - begun
    fired = [
        Fired(KINDS[one.kind], one.labels["dimension"], one.labels["value"], (one.at - stream.plan.start_ms) / 1000.0)
        for one in decisions
        if one.state == "raise"
    ]
    return fired, spent, decisions
