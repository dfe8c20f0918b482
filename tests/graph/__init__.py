"""Tests of the questions about graphs."""
