"""How good explanations are over a data set: measures, methods side by side, what of a difference is chance."""
