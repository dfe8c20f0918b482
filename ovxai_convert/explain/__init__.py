"""Explaining images by a model: maps and scores read, pictures drawn, pages written."""
