"""Tests of explaining data sets."""
