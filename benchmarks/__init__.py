"""Measurements of quality and cost on real commands; `python -m benchmarks` writes docs/results.md."""
