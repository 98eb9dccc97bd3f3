"""What changed between two runs, recipes and git revisions, through the command."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.git_repository import git
from tests.support.plain_runs import Plain
from tests.support.standin import stand_in

from sftrecipe.cli.main import cli
from sftrecipe.errors import RecipeError, UsageError

LONG: dict[str, Any] = {"use": "length", "on": "rows", "with": {"field": "output", "min_chars": 3}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    made = Plain(tmp_path / "project")
    made.rows(range(8))
    made.recipe(filter=[LONG])
    monkeypatch.chdir(made.folder)
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    return made


def call(*words: str, status: int = 0) -> str:
    found = CliRunner().invoke(cli, list(words))
    assert found.exit_code == status, found.output
    return found.stdout


def run() -> None:
    call("run", "recipe.yaml", "-q")


def diff(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call("diff", *words, "--json"))
    return found


def edit(project: Plain, old: str, new: str) -> None:
    rows = project.folder / "rows.jsonl"
    text = rows.read_text()
    assert old in text
    rows.write_text(text.replace(old, new))


def test_one_changed_seed_shows_its_rows_and_nothing_else(project: Plain) -> None:
    """Of a stream, of what is made from it and of the mix; no other row, no option."""
    hours = " Visitors come from three to five, and in the evening."
    texts = [{"text": f"The ward {n} opens at {n} o'clock." + 8 * hours} for n in range(8)]
    (project.folder / "rows.jsonl").write_text("\n".join(map(json.dumps, texts)))
    project.recipe(
        generate=[{"use": "chunk", "id": "parts", "from": "rows"}], mix={"weights": {"parts": 1}}
    )
    run()
    edit(project, "ward 3 opens", "ward 3 closes")
    run()
    found = diff("last~1", "last")
    counts = ("added", "gone", "changed")
    told = {each["stream"]: [each[name] for name in counts] for each in found["streams"]}
    assert told == {"rows": [0, 0, 1], "parts": [0, 0, 1], "mix": [0, 0, 1]}
    for stream in found["streams"]:
        (sample,) = stream["samples"]
        told_texts = [part[1:] for part in sample["parts"] if part[0] == "text"]
        ((was, now),) = told_texts
        assert was.startswith("The ward 3 opens")
        assert now.startswith("The ward 3 closes")
    assert (found["recipe"], found["judged"]) == ([], [])
    assert [each for each in found["figures"] if each["group"] != "lengths"] == []
    assert [each["name"] for each in found["files"]] == ["rows.jsonl"]


def test_rows_added_and_gone_are_counted_and_shown(project: Plain) -> None:
    run()
    project.rows([*range(2, 8), 9, 10, 11])
    run()
    (rows,) = diff()["streams"]
    assert (rows["was"], rows["now"]) == (8, 9)
    assert rows["added"] - rows["gone"] == 1
    assert rows["changed"] + rows["gone"] == 2


@pytest.mark.parametrize("filters", [1, 2])
def test_rows_of_which_filters_change_some_are_told(project: Plain, filters: int) -> None:
    texts = [
        "Rest, or call 13812345678.",
        "Write to li.wei@qq.com.",
        "Drink.",
        "Or to wang@163.com.",
        "Sleep.",
    ]
    lines = [json.dumps({"instruction": f"Case {at}?", "output": t}) for at, t in enumerate(texts)]
    (project.folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    for mask in ("[mail]", "[hidden]"):
        with_options = [{"action": "mask", "kinds": ["email"], "mask": mask}]
        with_options += [{"action": "mask", "kinds": ["phone"]}] * (filters - 1)
        project.recipe(filter=[{"use": "pii", "on": "rows", "with": each} for each in with_options])
        run()
    (change,) = (each for each in diff()["streams"] if each["stream"] == "rows")
    assert (change["changed"], change["added"], change["gone"]) == (2, 0, 0)
    answers = [{p[0]: p[1] for p in each["parts"]}["assistant"] for each in change["samples"]]
    assert sorted(answers) == ["Or to [mail].", "Write to [mail]."]


def test_rows_that_have_all_changed_are_paired_in_their_order(project: Plain) -> None:
    run()
    project.rows(range(9), word="P")
    run()
    stream = diff("--samples", "20")["streams"][0]
    assert [stream[name] for name in ("added", "gone", "changed")] == [1, 0, 8]
    shown = [{part[0]: part[1:] for part in each["parts"]} for each in stream["samples"]]
    pairs = {tuple(parts["user"]) for parts in shown if parts["user"][0]}
    assert pairs == {(f"Q {n:05}?", f"P {n:05}?") for n in range(8)}


def test_a_recipe_is_compared_by_meaning_and_its_steps_by_their_keys(project: Plain) -> None:
    run()
    project.recipe(filter=[{"use": "regex", "on": "rows", "with": {"drop": ["https?://"]}}, LONG])
    found = diff("recipe.yaml")
    (change,) = found["recipe"]
    assert (change["kind"], change["block"]) == ("added", "filter-regex")
    steps = {each["step"]: (each["kind"], each["why"]) for each in found["steps"]}
    assert steps == {
        "filter-regex": ("new", []),
        "filter-length": ("stale", ["inputs"]),
        "export-jsonl": ("stale", ["inputs"]),
    }


def test_a_moved_block_is_told_as_moved(project: Plain) -> None:
    links = {"use": "regex", "on": "rows", "with": {"drop": ["https?://"]}}
    project.recipe(filter=[LONG, links])
    run()
    project.recipe(filter=[links, LONG])
    (change,) = diff("recipe.yaml")["recipe"]
    assert change["kind"] == "moved"


def test_an_option_of_the_recipe_itself_is_told_as_new_or_gone(project: Plain) -> None:
    project.recipe("other.yaml", budget={"max_calls": 3, "max_tokens": 9})
    project.recipe(budget={"max_calls": 4, "max_cost": "5 USD"})
    told = {each["option"]: each["kind"] for each in diff("other.yaml", "recipe.yaml")["recipe"]}
    assert told == {
        "budget.max_calls": "changed",
        "budget.max_tokens": "removed",
        "budget.max_cost": "added",
    }


def test_rows_that_were_made_again_under_one_key_are_told_so(project: Plain) -> None:
    run()
    history = project.folder / ".sftrecipe/history"
    (entry,) = history.glob("*.json")
    kept = json.loads(entry.read_bytes())
    kept["contents"]["rows"] = "0" * 32
    kept["id"] = "20200101-000000-0000000"
    (history / f"{kept['id']}.json").write_text(json.dumps(kept))
    found = diff(kept["id"], "last")
    (note,) = found["notes"]
    assert note[0] == "note-replaced"
    assert note[1]["steps"] == ["rows"]


def test_rows_that_were_freed_are_told_as_gone(project: Plain) -> None:
    run()
    project.recipe(filter=[{**LONG, "with": {"field": "output", "min_chars": 4}}])
    project.rows(range(9))
    run()
    call("gc", "--yes")
    found = diff("last~1", "last")
    assert [each[0] for each in found["notes"]] == ["note-gone"]
    assert found["streams"][0]["missing"] == ["was"]


def test_a_revision_has_its_own_files_and_nothing_of_it_is_run(project: Plain) -> None:
    git(project.folder, "init", "-q")
    ran = project.folder / "ran"
    git(project.folder, "config", "filter.x.smudge", f"touch {ran}")
    git(project.folder, "config", "diff.x.textconv", f"touch {ran}; cat")
    (project.folder / ".gitattributes").write_text("* filter=x diff=x\n")
    git(project.folder, "add", "recipe.yaml", "rows.jsonl", ".gitattributes")
    git(project.folder, "commit", "-qm", "first")
    run()
    same = diff("HEAD:recipe.yaml", "last")
    assert (same["files"], same["steps"], same["recipe"], same["notes"]) == ([], [], [], [])
    edit(project, "A 00003", "B 00003")
    project.recipe(seed=7, filter=[LONG])
    found = diff("HEAD:recipe.yaml", "recipe.yaml")
    assert [(each["option"], each["now"]) for each in found["recipe"]] == [("seed", 7)]
    (file,) = found["files"]
    assert any(line.startswith("+") and "B 00003" in line for line in file["lines"])
    assert found["steps"][0]["why"] == ["files", "seed"]
    assert not ran.exists()


def test_a_revision_has_what_its_profile_names(project: Plain) -> None:
    """Its files, which a variable may name, and its lock."""
    project.rows(range(4), "others.jsonl")
    source = {"use": "jsonl", "path": "${vars.named}.jsonl"}
    varied = {"vars": {"named": "rows"}, "profiles": {"other": {"vars": {"named": "others"}}}}
    project.recipe(sources={"rows": source}, **varied)
    call("run", "recipe.yaml", "-q", "--profile", "other")
    call("lock", "recipe.yaml", "--profile", "other")
    git(project.folder, "init", "-q")
    git(project.folder, "add", "recipe.yaml", "others.jsonl", "recipe.other.lock")
    git(project.folder, "commit", "-qm", "first")
    project.rows(range(5), "others.jsonl")
    call("run", "recipe.yaml", "-q", "--profile", "other")
    call("lock", "recipe.yaml", "--profile", "other")
    found = diff("HEAD:recipe.yaml", "recipe.yaml", "--profile", "other")
    assert found["notes"] == []
    assert [each["name"] for each in found["files"]] == ["others.jsonl"]
    rows = {each["name"]: (each["was"], each["now"]) for each in found["lock"]}
    assert rows["streams.rows.rows"] == (4, 5)


def test_options_and_revisions_of_others_are_no_options_of_git(project: Plain) -> None:
    git(project.folder, "init", "-q")
    for words in (("--output=x:recipe.yaml",), ("nowhere:recipe.yaml",), ("nothing",)):
        said = CliRunner().invoke(cli, ["diff", "--", *words, "recipe.yaml"])
        assert isinstance(said.exception, UsageError)
    assert not (project.folder / "x").exists()


def test_what_is_wrong_in_a_revision_is_told_at_its_place_there(project: Plain) -> None:
    git(project.folder, "init", "-q")
    (project.folder / "broken.yaml").write_text("version: 1\nname: [\n")
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-qm", "first")
    for name, told in (("broken.yaml", "HEAD:broken.yaml:2:8"), (".", "git-no-file")):
        said = CliRunner().invoke(cli, ["diff", f"HEAD:{name}", "recipe.yaml"])
        assert isinstance(said.exception, RecipeError | UsageError), said.exception
        wrong = said.exception
        problem = wrong.problems[0] if isinstance(wrong, RecipeError) else wrong.problem
        assert told in (str(problem.position), problem.slug)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)


HOSTILE = (
    "</code></td></table><img src=https://evil.example/x.png onerror=alert(1)> | b |\n\n"
    "# Big\n![x](https://evil.example/y.png) "
    "[a](javascript:alert(1)) @octocat #99 www.evil.example "
    "`` ` `` <script>alert(1)</script> \x1b[31mred\x1b[0m \u202egnp.exe a@b.example $x$"
)


def test_rows_stay_inside_a_comment_and_a_page(project: Plain) -> None:
    run()
    edit(project, "A 00003.", json.dumps(HOSTILE)[1:-1])
    run()
    comment = call("diff", "--markdown")
    tags = Tags()
    tags.feed(comment)
    assert tags.found <= {"code", "br"}
    for sign in ("](", "![", "@octocat", "https://", "www.", " #99", "\x1b", "\u202e", "$x$"):
        assert sign not in comment
    for line in comment.splitlines():
        assert not line.startswith("|") or line.count("|") in (3, 4, 5, 7)
    call("diff", "--html", "page.html")
    page = Tags()
    text = (project.folder / "page.html").read_text()
    page.feed(text)
    assert not page.found & {"script", "img", "iframe"}
    assert "default-src 'none'" in text
    assert "\x1b" not in text and "\u202e" not in text
    with project.start("diff") as shown:
        assert "\x1b" not in shown.communicate()[0]


def test_a_comment_is_no_longer_than_comments_may_be(project: Plain) -> None:
    run()
    text = "|<&>" * 3000 + "字😀" * 2000
    rows = "".join(
        json.dumps({"instruction": f"{n}", "output": f"{n} {text}"}) + "\n" for n in range(200)
    )
    (project.folder / "rows.jsonl").write_text(rows)
    run()
    comment = call("diff", "--markdown", "--samples", "200")
    assert 20_000 < len(comment.encode("utf-16-le")) / 2 <= 65_536
    assert "a comment may have 65,536 characters" in comment


def test_what_differs_is_shown_however_far_behind_it_stands(project: Plain) -> None:
    """Of rows, of options, of a file's lines; a separator in a row ends no line of its file."""
    long = "\u2028" + "word " * 3000
    for word in ("sooner", "later"):
        row = {"instruction": "Q", "output": f"{long}{word}"}
        (project.folder / "rows.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n")
        with_ = {"field": "output", "drop": [f"{'x' * 900}{word}"]}
        rare = {"use": "regex", "on": "rows", "with": with_}
        project.recipe(filter=[LONG, rare])
        run()
    found = diff()
    assert [len(each["lines"]) for each in found["files"]] == [3]
    (sample,) = found["streams"][0]["samples"]
    ((_, was, now),) = (part for part in sample["parts"] if part[0] == "assistant")
    assert was.endswith("word sooner") and now.endswith("word later")
    assert len(was) < 1300
    for form in ((), ("--markdown",)):
        told = call("diff", *form)
        assert told.count("sooner") == told.count("later") == 3


def test_a_value_of_another_type_is_told_apart(project: Plain) -> None:
    for score in (1, "1"):
        row = {"instruction": "Q", "output": "An answer", "score": score}
        (project.folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
        run()
    (sample,) = diff()["streams"][0]["samples"]
    assert sample["parts"] == [["user", "Q", "Q"], ["score", "1", '"1"']]


def test_clones_without_a_work_tree_or_without_all_commits(project: Plain) -> None:
    for words in (("init", "-q"), ("add", "recipe.yaml", "rows.jsonl"), ("commit", "-qm", "1")):
        git(project.folder, *words)
    git(project.folder, "commit", "-qm", "2", "--allow-empty")
    for kind, words in (("bare", ("--bare",)), ("shallow", ("--depth", "1"))):
        git(project.folder, "clone", "-q", *words, f"file://{project.folder}", f"../{kind}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder.parent / "bare")
        assert "Nothing differs." in call("diff", "HEAD~1:recipe.yaml", "HEAD:recipe.yaml")
        patch.chdir(project.folder.parent / "shallow")
        with pytest.raises(UsageError) as told:
            CliRunner().invoke(
                cli, ["diff", "HEAD~1:recipe.yaml", "recipe.yaml"], catch_exceptions=False
            )
        assert told.value.problem.hint == "git-shallow"


def test_a_key_that_stands_in_a_row_is_not_shown(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_API_KEY", "sk-notToBeSeen123")
    run()
    edit(project, "A 00003.", "the key is sk-notToBeSeen123")
    run()
    for words in ((), ("--markdown",), ("--json",)):
        assert "notToBeSeen" not in call("diff", *words)


def test_the_exit_status_tells_differences_where_asked(project: Plain) -> None:
    run()
    call("diff", "recipe.yaml", "--exit-code")
    project.recipe(seed=3, filter=[LONG])
    call("diff", "recipe.yaml", "--exit-code", status=1)
    call("diff", "recipe.yaml")
    too_far = CliRunner().invoke(cli, ["diff", "last~5"])
    assert isinstance(too_far.exception, UsageError)


def test_runs_of_another_project_are_looked_for_in_the_one_that_is_told(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    (listed,) = json.loads(call("history", "--json"))
    monkeypatch.chdir(project.folder.parent)
    for words in ((listed["id"], listed["id"]), ("last~1", "last")):
        told = CliRunner().invoke(cli, ["diff", *words]).exception
        assert isinstance(told, UsageError)
        assert f"'{project.folder.parent}'" in told.problem.message()
        assert "another project" in (told.problem.advice() or "")


@pytest.mark.parametrize("around", [".", "project"])
def test_a_run_that_is_named_by_its_folder_has_its_rows(
    project: Plain, around: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its catalogue makes it no project of its own: its rows lie in that of the recipe."""
    run()
    if around == "project":
        monkeypatch.chdir(project.folder.parent)
        assert f"no run is kept yet in {project.folder.parent}" in call("history")
    assert call("history", f"{around}/recipe.yaml").count("first run") == 1
    (folder,) = (project.folder / "runs").iterdir()
    told = call("diff", f"{around}/runs/{folder.name}", f"{around}/recipe.yaml")
    assert "Nothing differs" in told and "not stored" not in told


def test_a_run_that_asked_nothing_has_asked_none(project: Plain) -> None:
    """Not an unknown number: every reply came out of the ledger."""
    asking = {"id": "ask", "use": "respond", "from": "rows", "provider": "p"}
    with stand_in() as server:
        provider = {"use": "openai", "base_url": server.url, "model": "m", "api_key": ""}
        for seed in (1, 2):
            block = {**asking, "with": {"replace": True}}
            project.recipe(providers={"p": provider}, generate=[block], seed=seed)
            run()
    figures = {each["name"]: (each["was"], each["now"]) for each in diff()["figures"]}
    assert (figures["asked"], figures["cached"]) == ((8, 0), (0, 8))
