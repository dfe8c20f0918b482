"""Checks that another package reads what this one writes; run by hand, not collected by pytest."""
