"""Tests of the white-box methods and what they are made of."""
