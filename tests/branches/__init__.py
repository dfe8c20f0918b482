"""Tests of the methods, each against its slow definition."""
