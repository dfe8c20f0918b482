"""How good explanations are over a data set: measures, methods side by side, what is chance."""
