"""The proof: original outputs unchanged, and the map equal to its slow definition."""
