"""Tests of branches in copies of models."""
