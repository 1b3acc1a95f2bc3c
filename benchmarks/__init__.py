"""Measurements of speed, each under a minute; `python -m benchmarks` lists them."""
