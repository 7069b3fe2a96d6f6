"""These modules measure figures: ``python -m benchmarks.NAME``, run at the top of the repository, prints one table."""
