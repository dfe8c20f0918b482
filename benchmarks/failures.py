"""What stops the whole benchmark, in one line for the person who started it."""

from __future__ import annotations


class BenchmarkError(Exception):
    """An environment or a network that cannot be made."""
