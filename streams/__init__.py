"""The engine: events in, facts out. Pure; both the Faust workers and `peakwatch replay` drive it."""
