"""Export a trained run as one model file for any ONNX runtime."""
