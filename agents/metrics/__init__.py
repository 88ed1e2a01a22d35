"""The worker's own figures for Prometheus, read at a scrape from plain numbers; and its health.

Names follow Prometheus' conventions (base units, `_total`); labels are few and of bounded cardinality. What each
means stands in docs/operations.md.
"""

from agents.metrics.collector import View, WorkerCollector
from agents.metrics.figures import WorkerFigures
from agents.metrics.pipeline import Progress, Reached
from agents.metrics.serving import Health, ensure_free, serve

__all__ = ["Health", "Progress", "Reached", "View", "WorkerCollector", "WorkerFigures", "ensure_free", "serve"]
