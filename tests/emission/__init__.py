"""Branches as ONNX nodes of their source's own file."""
