"""Explaining data sets: many photographs in, one table and one report of them out."""
