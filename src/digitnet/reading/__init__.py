"""From pictures to answers: no torch, only numpy, Pillow, OpenCV and ONNX Runtime."""
