"""A project that asks a stand-in for every one of its rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.plain_runs import Plain


class Asking(Plain):
    """The project."""

    def __init__(self, folder: Path, url: str, rows: int = 20, concurrency: int = 4) -> None:
        super().__init__(folder)
        self.rows(range(rows))
        provider = {"use": "openai", "base_url": url, "model": "stand-in", "api_key": ""}
        self.recipe(
            providers={"teacher": provider | {"limits": {"concurrency": concurrency}}},
            generate=[
                {"id": "a", "use": "respond", "from": "rows", "provider": "teacher"}
                | {"with": {"replace": True}}
            ],
        )

    @property
    def ledger(self) -> Path:
        return self.folder / ".sftrecipe" / "ledger.sqlite"

    def answered(self) -> int:
        """Calls in the ledger that have a reply."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            found = connection.execute("SELECT count(*) FROM calls WHERE state = 'done'")
            return int(found.fetchone()[0])
