"""Checks that run for long: processes that are killed at any moment, thousands of calls from many threads."""
