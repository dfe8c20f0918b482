"""The files of a converted model: written so that all are there or none, and described."""
