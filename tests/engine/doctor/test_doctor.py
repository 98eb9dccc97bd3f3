"""`sftrecipe doctor`: the real command, against servers and folders with every fault."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ...support.standin import StandIn, stand_in

KEY = "sk-secret-of-the-test"
RECIPE = """\
version: 1
name: ready
{more}
providers:
{providers}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - {{id: answered, use: respond, from: seeds, provider: {asked}}}
export:
  - {{use: jsonl}}
"""


class Clinic:
    """A project's folder, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".sftrecipe").mkdir()
        (folder / "seeds.jsonl").write_text('{"instruction": "How are you?"}\n' * 30)
        self.ledger = folder / ".sftrecipe" / "ledger.sqlite"

    def recipe(self, *urls: str, more: str = "", options: str = "") -> None:
        lines = [
            f'  p{at}: {{use: openai, model: m, base_url: "{url}", '
            f'api_key: "${{env:OPENAI_API_KEY}}"{options}}}'
            for at, url in enumerate(urls)
        ]
        self.write("\n".join(lines), "p0", more)

    def write(self, providers: str, asked: str, more: str = "") -> None:
        text = RECIPE.format(providers=providers, asked=asked, more=more)
        (self.folder / "recipe.yaml").write_text(text)

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: text for name, text in os.environ.items() if "proxy" not in name.lower()}
        told = {"SFTRECIPE_LANG": "en", "OPENAI_API_KEY": KEY, "XDG_CONFIG_HOME": str(self.folder)}
        keys = (
            ("--allow-key", "OPENAI_API_KEY=nobody.invalid") if "recipe.yaml" in arguments else ()
        )
        return subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", "doctor", *arguments, *keys],
            cwd=self.folder, capture_output=True, text=True, timeout=100, check=False,
            env={**clean, **told, **environment},
        )  # fmt: skip

    def checks(self, *arguments: str, status: int, **environment: str) -> list[dict[str, Any]]:
        """The findings of the recipe."""
        done = self.command("recipe.yaml", "--json", *arguments, **environment)
        assert done.returncode == status, done.stdout + done.stderr
        assert KEY not in done.stdout + done.stderr
        facts = json.loads(done.stdout)
        assert list(facts) == ["ok", "recipe", "checks"]
        assert facts["ok"] is (status == 0)
        names = ["check", "subject", "state", "slug", "message", "hint", "facts"]
        assert all(list(check) == names for check in facts["checks"])
        found: list[dict[str, Any]] = facts["checks"]
        return found

    def fault(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The only fault."""
        (only,) = (
            check
            for check in self.checks(*arguments, status=1, **environment)
            if check["state"] == "fault"
        )
        return only


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_all_is_well_and_nothing_is_kept(clinic: Clinic) -> None:
    options = ", price: {input: 1, output: 2}"
    with stand_in("--rate", 500) as server:
        clinic.recipe(server.url, more="budget: {max_cost: 5 USD}", options=options)
        for times in (1, 2):
            checks = {check["check"]: check for check in clinic.checks(status=0)}
            assert server.requests() == times  # it is really asked again
    assert not clinic.ledger.exists()
    assert not (clinic.folder / "runs").exists()
    assert checks["provider"]["facts"]["works"] == "chat"
    assert checks["limits"]["facts"]["requests"]["limit"] == 500
    assert checks["price"]["slug"] == "doctor-price-recipe"
    assert checks["budget"]["message"] == "max_cost 5 USD"
    assert checks["ledger"]["slug"] == "doctor-no-ledger"


@pytest.mark.parametrize(
    ("fault", "hint", "words"),
    [
        ("401", "check OPENAI_API_KEY", "Incorrect API key provided"),
        ("403", "may not use 'm'", "no access"),
        ("404", "check `model` ('m')", "no such model"),
        ("429", "at its limit", "slow down"),
        ("quota", "top it up", "no money"),
        ("500", "provider's own", "oops"),
        ("garbage", "protocol", "no JSON"),
        ("html", "protocol", "gateway"),
        ("slow", "--timeout", "no reply within 0.5 s"),
        ("reset", "", "127.0.0.1"),
    ],
)
def test_a_provider_that_fails(clinic: Clinic, fault: str, hint: str, words: str) -> None:
    with stand_in("--faults", f"{fault}=1") as server:
        clinic.recipe(server.url)
        found = clinic.fault("--timeout", "0.5" if fault == "slow" else "20")
        assert server.requests() <= (2 if fault == "reset" else 1)
    assert found["check"] == "provider"
    assert words in found["message"]
    assert hint in found["hint"]


def test_nobody_listens(clinic: Clinic) -> None:
    clinic.recipe(f"http://127.0.0.1:{_free_port()}/v1")
    assert "nobody listens" in clinic.fault()["hint"]


def test_a_name_that_nobody_has(clinic: Clinic) -> None:
    clinic.recipe("https://nobody.invalid/v1")
    assert "cannot be resolved" in clinic.fault()["hint"]


def test_a_proxy_that_is_down(clinic: Clinic) -> None:
    clinic.recipe("https://nobody.invalid/v1")
    found = clinic.fault(https_proxy=f"http://127.0.0.1:{_free_port()}")
    assert "https_proxy" in found["hint"]


def test_a_server_without_tls(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url.replace("http:", "https:"))
    assert "certificate" in clinic.fault()["hint"]


def test_one_provider_of_two_is_dead(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url, f"http://127.0.0.1:{_free_port()}/v1")
    checks = clinic.checks(status=1)
    states = {each["subject"]: each["state"] for each in checks if each["check"] == "provider"}
    assert states == {"p0": "ok", "p1": "fault"}


def test_a_server_without_batches(clinic: Clinic, server: StandIn) -> None:
    v2 = server.url.replace("/v1", "/v2")  # it answers calls there, and has no batches
    clinic.recipe(server.url, v2, options=", mode: batch")
    found = [each for each in clinic.checks(status=1) if each["check"] == "provider"]
    (_, has), (answers, lacks) = (
        [each for each in found if each["subject"] == name]
        for name in ("p0", "p1")
    )  # fmt: skip
    assert has["state"] == answers["state"] == "ok"
    assert lacks["state"] == "fault"
    assert "the server takes no batches" in lacks["message"]
    assert "mode: batch" in lacks["hint"]
    clinic.recipe(v2)
    clinic.checks(status=0)


def test_offline_asks_nobody(clinic: Clinic) -> None:
    clinic.recipe("https://nobody.invalid/v1")
    assert not [
        each for each in clinic.checks("--offline", status=0) if each["check"] == "provider"
    ]


def test_a_budget_without_a_price(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url, more="budget: {max_cost: 5 USD}")
    assert clinic.fault()["slug"] == "budget-no-price"


def test_a_price_without_a_budget(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url, options=", price: {input: 1, output: 2}")
    (found,) = (each for each in clinic.checks(status=0) if each["check"] == "budget")
    assert (found["state"], found["slug"]) == ("warning", "doctor-no-budget")


def test_a_damaged_ledger(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url)
    clinic.ledger.write_bytes(b"no database" * 1000)
    found = clinic.fault()
    assert (found["check"], found["slug"]) == ("ledger", "ledger-damaged")
    assert clinic.ledger.read_bytes() == b"no database" * 1000


def test_calls_that_a_dead_engine_left(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url)
    run = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml", "-q"]
    environment = {**os.environ, "OPENAI_API_KEY": KEY}
    subprocess.run(run, cwd=clinic.folder, env=environment, check=True, timeout=60)
    with sqlite3.connect(clinic.ledger) as connection:
        connection.execute("UPDATE calls SET state = 'asking'")
        connection.execute("UPDATE engines SET closed = NULL")
    connection.close()
    checks = [each for each in clinic.checks(status=0) if each["check"] == "ledger"]
    assert [each["slug"] for each in checks] == ["doctor-ledger", "doctor-ledger-lost"]
    assert checks[1]["facts"]["count"] == 1


def test_an_output_folder_that_cannot_be_written(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url)
    found = clinic.fault("--out", "/proc/sftrecipe/out")  # root may write anywhere else
    assert (found["check"], found["slug"]) == ("folder", "folder-read-only")


def test_a_file_in_the_place_of_the_output_folder(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url)
    assert clinic.fault("--out", "seeds.jsonl/out")["slug"] == "folder-read-only"


def test_no_room_for_what_the_sources_hold(clinic: Clinic, server: StandIn) -> None:
    clinic.recipe(server.url)
    seeds = clinic.folder / "seeds.jsonl"
    seeds.write_bytes(seeds.read_bytes() + b'{"instruction": "q"}\n' * 100_000)
    os.truncate(seeds, 1 << 42)  # a hole behind the rows: it takes no room itself
    slugs = {each["slug"] for each in clinic.checks(status=1) if each["state"] == "fault"}
    assert slugs == {"doctor-disk"}


def test_a_recipe_that_is_wrong(clinic: Clinic) -> None:
    clinic.write("  p0: {use: opnai, model: m}", "p0")
    done = clinic.command("recipe.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'openai'?" in done.stderr


def test_without_a_recipe(clinic: Clinic) -> None:
    done = clinic.command()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == [
        "installation", "plugins", "folder", "ledger",
    ]  # fmt: skip
    assert all(line.startswith("✓") for line in lines[:-1])
    assert lines[-1] == "all is well"


def test_a_terminal_without_utf8_and_in_chinese(clinic: Clinic) -> None:
    plain = clinic.command(PYTHONIOENCODING="ascii")
    assert plain.stdout.isascii()
    assert plain.stdout.startswith("ok installation")
    assert "安装" in clinic.command(SFTRECIPE_LANG="zh").stdout


def _third_party(folder: Path, code: str) -> str:
    """A package with the filter `strange`; what PYTHONPATH must hold."""
    info = folder / "third" / "strange-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sftrecipe.filters]\nstrange = strange:Strange\n")
    (info.parent / "strange.py").write_text(code)
    return str(info.parent)


def test_a_plugin_that_cannot_be_imported(clinic: Clinic, server: StandIn) -> None:
    path = _third_party(clinic.folder, "import no_such_module_at_all\n")
    alone = clinic.command(PYTHONPATH=path)
    assert alone.returncode == 1
    assert "strange 1.0" in alone.stdout
    clinic.recipe(server.url)  # which does not use it
    checks = clinic.checks(status=0, PYTHONPATH=path)
    (found,) = (each for each in checks if each["check"] == "plugin")
    assert (found["state"], found["subject"]) == ("warning", "strange")


@pytest.mark.parametrize(
    ("check", "state", "text"),
    [
        ('yield MachineCheck("fault", "no ruler here", "buy one")', "fault", "no ruler here"),
        ('raise RuntimeError("out of order")', "fault", "RuntimeError: out of order"),
    ],
)
def test_what_a_plugin_needs(
    clinic: Clinic, server: StandIn, check: str, state: str, text: str
) -> None:
    code = f"""\
from sftrecipe import RowFilter, Verdict
from sftrecipe.plugin import MachineCheck

class Strange(RowFilter):
    def judge_row(self, row, ctx):
        return Verdict(True)
    def check_machine(self):
        {check}
"""
    path = _third_party(clinic.folder, code)
    clinic.recipe(server.url, more="filter: [{use: strange}]")
    found = clinic.fault(PYTHONPATH=path)
    assert (found["check"], found["state"]) == ("needs", state)
    assert text in found["message"]


@pytest.mark.heavy
def test_the_embedded_model(clinic: Clinic) -> None:
    clinic.write("  small: {use: embedded}", "small")
    checks = clinic.checks("--timeout", "90", status=0)
    assert [each["subject"] for each in checks if each["check"] == "provider"] == ["small"]
    assert {each["state"] for each in checks} == {"ok"}
