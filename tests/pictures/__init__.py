"""Tests of maps as pictures."""
