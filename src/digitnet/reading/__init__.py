"""From a photograph to the digits on it, without torch: picture opens, ink is seen, find cuts the digits out."""

import os

# Since 1.29 ONNX Runtime reports what it runs to its makers, unless this is set before it is imported. Nothing that
# digitnet reads, nor that it reads, is anybody else's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
