"""Looks at models with the preflight's part of the training environment, many cases a process.

`python llamafactory_models.py MODEL_WORKER` reads a list of arguments from its input and prints
what `look` tells of each.
"""

from __future__ import annotations

import json
import os
import runpy
import sys

if __name__ == "__main__":
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    look = runpy.run_path(sys.argv[1])["look"]
    json.dump([look(arguments, 0) for arguments in json.load(sys.stdin)], report)
    report.flush()
