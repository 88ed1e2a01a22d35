"""Benchmarks, each named after its question; they run once, small, in the test suite."""
