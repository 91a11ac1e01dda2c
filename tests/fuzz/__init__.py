"""Fuzzing without and with atheris: targets, their byte reader, seeds and findings."""
