"""The JSON Schemas of the files that ovxai-convert writes."""
