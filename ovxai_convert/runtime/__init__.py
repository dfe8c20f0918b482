"""Running a model and showing what it saw: inputs, scores, maps, pictures, reports."""
