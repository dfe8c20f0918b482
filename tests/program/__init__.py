"""Tests of the programs and of what they write."""
