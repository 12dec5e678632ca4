"""A trained run to one model file that any ONNX runtime reads."""
