"""How the ops of each family are said in ONNX: what the field ``onnx`` of their rows is."""
