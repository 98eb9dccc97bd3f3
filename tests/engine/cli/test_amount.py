"""Numbers on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from sftrecipe.cli.main import cli


@pytest.mark.parametrize("words", ["gc --keep-days", "doctor --offline --timeout"])
@pytest.mark.parametrize("given", ["nan", "-1", "much"])
def test_what_is_no_amount_is_refused(words: str, given: str) -> None:
    done = CliRunner().invoke(cli, [*words.split(), given])
    assert done.exit_code == 2
    assert "Invalid value for '--" in done.output
