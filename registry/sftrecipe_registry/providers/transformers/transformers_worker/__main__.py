"""Starts the worker: `python -I transformers_worker SETTINGS`.

Its modules are loaded as a package of their own, by path: the environment has neither this project
nor, isolated (`-I`), the folder beside, whose modules bear the names of packages.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_NAME = "transformers_worker"


def main() -> None:
    """Load the package, and serve."""
    spec = spec_from_file_location(_NAME, Path(__file__).with_name("__init__.py"))
    assert spec is not None  # noqa: S101 - the file lies beside this one
    sys.path.pop(0)  # this folder: what it holds is found through the package alone
    sys.modules[_NAME] = module_from_spec(spec)
    import_module(f"{_NAME}.serving").main()


if __name__ == "__main__":
    main()
