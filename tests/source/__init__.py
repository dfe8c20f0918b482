"""Tests of reading model files."""
