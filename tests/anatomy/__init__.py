"""Tests of what is found where in a model."""
