"""``python -m digitnet`` is ``digitnet``."""

import sys

from digitnet.cli import main

sys.exit(main())
