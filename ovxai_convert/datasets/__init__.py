"""Data sets: which photographs are meant, explaining many of them at once, a table of what came of each."""
