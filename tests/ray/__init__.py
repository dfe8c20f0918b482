"""Data sets on a real cluster of Ray's; without Ray there is nothing to run here (``make ray``)."""
