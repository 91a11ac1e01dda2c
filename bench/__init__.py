"""Benchmarks and measurements, each run in one command; see `python -m bench --help`."""
