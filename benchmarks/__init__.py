"""Figures: one command prints one table; run as ``python -m benchmarks.NAME`` from the top of the repository."""
