"""What is where in a model: data flow, what axes mean, inputs, scores, targets, and signs of other tasks."""
