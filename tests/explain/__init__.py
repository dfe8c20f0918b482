"""Tests of explaining images by a model."""
