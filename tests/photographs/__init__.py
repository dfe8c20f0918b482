"""Tests of how photographs become a model's input."""
