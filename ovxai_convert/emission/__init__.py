"""A branch as nodes of its source's own ONNX file: the same ops in its operator set, on its tensors."""
