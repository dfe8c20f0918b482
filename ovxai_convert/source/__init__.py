"""Model files of any format: reading them, and what they say beside the graph."""
