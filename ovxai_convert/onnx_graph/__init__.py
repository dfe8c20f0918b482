"""An ONNX graph that nodes are added to: operators of one operator set, constants, and forms that changed."""
