"""Tests of what runs a model and shows what it saw."""
