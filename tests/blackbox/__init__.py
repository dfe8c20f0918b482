"""Tests of the black-box methods, on functions instead of models."""
