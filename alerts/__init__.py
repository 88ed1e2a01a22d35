"""Decide who must be told what (pure), then tell them (`notify`, the edge)."""
