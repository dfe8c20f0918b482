"""Tests of the head rewritten for all masked copies, against the slow definition."""
