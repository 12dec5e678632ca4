"""From a photograph to the digits on it, without torch: picture opens, ink is seen, find cuts the digits out."""

import os

# Since 1.29 ONNX Runtime reports what it runs to its makers, unless this is set before it is imported. What is
# read here, and that it is read, is nobody else's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
