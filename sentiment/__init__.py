"""Judging Chinese review and complaint texts: pure functions over texts and weights, no clock, no socket."""
