"""Reading tells nobody anything."""

import os
from pathlib import Path

from processes import run as run_python

READ = "from digitnet import Reader; import numpy as np; Reader().predict(np.zeros((1, 28, 28), np.uint8))"


def test_onnx_runtime_gives_this_computer_no_number_and_queues_no_report(tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "ORT_DISABLE_TELEMETRY")}
    done = run_python("-c", READ, env={**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
