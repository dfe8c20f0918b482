"""Checks that run for long: what thousands of calls from many threads give, and what they leave behind."""
