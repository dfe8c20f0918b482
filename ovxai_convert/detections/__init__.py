"""What object detectors answer: boxes read from the results of an inference, and how alike two boxes are."""
