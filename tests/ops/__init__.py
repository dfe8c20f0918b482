"""The table of ops: every row held to the definition on real copies."""
