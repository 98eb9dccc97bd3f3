"""What all tests need of their process."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sftrecipe import messages
from sftrecipe.recipe.checks.secrets import hosts_by_variable

# A shell that starts something in the background has it ignore Ctrl-C, and so does all that this
# starts: commands that tests interrupt would go on for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Trainers and model servers of several workers at once: threads that wait for cores only spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests start thousands of commands: each would compile all of sftrecipe anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What the user's session says of language, terminal and repository is none of the tests' business,
# and his keys are not theirs to spend.
_OF_THE_SESSION = (
    *("SFTRECIPE_LANG", "SFTRECIPE_PROJECT", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_CTYPE"),
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"),
    *hosts_by_variable(),
)
for _name in _OF_THE_SESSION:
    os.environ.pop(_name, None)
os.environ["LANG"] = "C.UTF-8"

# Their servers are asked without the proxy that the user has for all else.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, ("127.0.0.1,localhost", os.environ.get(_name))))

# The same examples in every run: a change is not refused for what another change brought in.
# `HYPOTHESIS_PROFILE=explore` looks for new ones.
# How fast examples are made and run tells of the machine, which may have other work; how many are
# thrown away, of which modules a worker has loaded, whose constants are tried.
UNSURE = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=UNSURE)
settings.register_profile("explore", deadline=None, suppress_health_check=UNSURE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither environments that the user made, nor what he permitted, nor his git's settings."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    config = tmp_path_factory.mktemp("config")
    for installer in ("pip", "uv"):  # mirrors, from which tests install
        if (own / installer).exists():
            (config / installer).symlink_to((own / installer).resolve())
    os.environ["XDG_CONFIG_HOME"] = str(config)
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def pytest_runtest_setup() -> None:
    """The language is found anew: the test before may have set another one."""
    messages.user_language.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with heavy tests first: begun last, one would keep a single core busy at the end."""
    heavy = {item.path for item in items if item.get_closest_marker("heavy")}
    items.sort(key=lambda item: item.path not in heavy)
