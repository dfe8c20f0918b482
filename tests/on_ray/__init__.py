"""What of data sets on Ray can be seen without it."""
