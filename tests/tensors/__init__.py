"""Tests of tensors and their axes."""
