"""Presets in git: addresses, what is fetched, what is refused, the cache."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.git_repository import committed, git

from sftrecipe.errors import RecipeError, UsageError
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.presets import git_cache, git_fetch
from sftrecipe.recipe.presets.git_address import BadAddress, GitAddress, git_address
from sftrecipe.recipe.presets.git_cache import ChangedCache, kept_preset
from sftrecipe.recipe.presets.git_fetch import fetch_preset

RECIPE = """version: 1
name: law
vars: {topics: topics.jsonl}
providers: {teacher: {use: embedded}}
sources:
  topics: {use: jsonl, path: "${vars.topics}"}
generate:
  - {id: ask, use: respond, from: topics, provider: teacher, with: {prompt: ask.j2}}
"""
FILES = {
    "recipe.yaml": RECIPE,
    "ask.j2": "Ask of {{ topic }}.\n",
    "topics.jsonl": '{"topic": "a"}\n',
}

Address = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "repo"
    (folder / "presets" / "law").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    for name, text in FILES.items():
        (folder / "presets" / "law" / name).write_text(text)
    committed(folder)
    return folder


def address(folder: Path, revision: str = "main", path: str = "presets/law") -> GitAddress:
    return GitAddress("file", str(folder), revision, path)


def extending(folder: Path, value: object, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    recipe = folder / "mine.yaml"
    recipe.write_text(f"version: 1\nname: mine\nextends: {value}\n{more}")
    return recipe


def slugs(recipe: Path) -> list[str]:
    with pytest.raises(RecipeError) as raised:
        check_recipe(recipe)
    return [problem.slug for problem in raised.value.problems]


def refused(wanted: GitAddress) -> str:
    with pytest.raises(UsageError) as raised:
        fetch_preset(wanted)
    return raised.value.problem.slug


def test_fetched_once_and_used_without_the_repository(repository: Path, tmp_path: Path) -> None:
    branch = address(repository)
    assert slugs(extending(tmp_path / "p", branch)) == ["preset-unpinned"]
    pinned, preset = fetch_preset(branch)
    assert pinned.revision == git(repository, "rev-parse", "HEAD")
    assert {name for name, _ in preset.files()} == FILES.keys() - {"recipe.yaml"}
    shutil.rmtree(repository)
    checked = check_recipe(extending(tmp_path / "p", pinned))
    assert checked.presets[0].source == str(pinned)
    assert checked.generate[0].files.paths["ask.j2"].startswith(str(tmp_path / "data"))
    assert slugs(extending(tmp_path / "p", pinned.at("0" * 40))) == ["preset-not-fetched"]


@pytest.fixture
def https(repository: Path, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The repository as plain files over https: the port, and the certificate that nobody knows."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    served, both = tmp_path / "served", tmp_path / "both.pem"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(served / "owner" / "law.git"))
    git(served / "owner" / "law.git", "update-server-info")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    named = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(both), "-out", str(tmp_path / "known.pem"))
    subprocess.run(["openssl", *words.split(), *named, *files], check=True, capture_output=True)
    with both.open("ab") as file:
        file.write((tmp_path / "known.pem").read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(served)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], tmp_path / "known.pem"
    server.shutdown()
    server.server_close()


class _Files(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


def test_over_https_from_a_server_that_knows_nothing_of_git(
    repository: Path, https: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = https
    monkeypatch.setenv("no_proxy", "localhost")
    wanted = f"git+https://localhost:{port}/owner/law.git@main#presets/law"
    with pytest.raises(UsageError, match="certificate"):
        fetch_preset(git_address(wanted))
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    pinned, preset = fetch_preset(git_address(wanted))
    assert pinned.revision == git(repository, "rev-parse", "HEAD")
    assert {name for name, _ in preset.files()} == FILES.keys() - {"recipe.yaml"}
    assert check_recipe(extending(tmp_path / "p", pinned)).presets[0].source == str(pinned)


def test_an_unpinned_revision_names_the_commit_that_is_known(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "tag", "-a", "v1", "-m", "one")
    pinned, _ = fetch_preset(address(repository, "v1"))
    for revision in ("v1", pinned.revision[:8]):
        with pytest.raises(RecipeError) as raised:
            check_recipe(extending(tmp_path / "p", address(repository, revision)))
        advice = raised.value.problems[0].advice("en")
        assert advice is not None
        assert str(pinned) in advice
    assert refused(address(repository, "v9")) == "git-no-revision"
    assert refused(address(repository, "0" * 40)) == "git-no-revision"
    assert refused(address(repository, "main", "presets/other")) == "git-no-path"
    assert refused(address(repository, "main", "presets")) == "git-no-path"
    assert refused(address(repository.with_name("none"), "main")) == "git-failed"


def test_a_part_comes_with_the_folder_of_its_name(repository: Path) -> None:
    (repository / "parts" / "law").mkdir(parents=True)
    (repository / "parts" / "law.yaml").write_text(RECIPE.replace("topics.jsonl", "law/t.jsonl"))
    (repository / "parts" / "law" / "t.jsonl").write_text('{"topic": "a"}\n')
    (repository / "parts" / "other.txt").write_text("x")
    commit = committed(repository)
    _, preset = fetch_preset(address(repository, commit, "parts/law.yaml"))
    assert [name for name, _ in preset.files()] == ["t.jsonl"]
    assert not (preset.file.parent / "other.txt").exists()


@pytest.mark.parametrize("change", ["more", "other", "gone", "link", "proof"])
def test_what_was_changed_since_is_refused_and_fetched_again(
    repository: Path, tmp_path: Path, change: str
) -> None:
    pinned, preset = fetch_preset(address(repository))
    file = preset.folder / "ask.j2"
    if change == "more":
        (preset.folder / "new.j2").write_text("x")
    elif change == "other":
        file.chmod(0o644)
        file.write_text("Say your password, {{ topic }}.\n")
    elif change == "proof":
        proof = preset.folder.parent / "proof.json"
        proof.write_text(proof.read_text().replace('"trail": {', '"trail": {"x": "eA==",'))
        proof.write_text(proof.read_text().replace('\n  "', '\n  "0'))
    else:
        file.unlink()
        if change == "link":
            file.symlink_to(tmp_path / "repo" / "presets" / "law" / "ask.j2")
    with pytest.raises(ChangedCache):
        kept_preset(pinned)
    recipe = extending(tmp_path / "p", pinned)
    assert slugs(recipe) == ["preset-changed"]
    fetch_preset(pinned)
    check_recipe(recipe)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("link", "git-link"), ("submodule", "git-submodule"), ("lfs", "git-lfs"), ("odd", "git-name")],
)
def test_what_no_preset_holds(repository: Path, name: str, slug: str) -> None:
    folder = repository / "presets" / "law"
    if name == "link":
        (folder / "secret.j2").symlink_to("/etc/passwd")
    elif name == "lfs":
        (folder / "big.jsonl").write_text("version https://git-lfs.github.com/spec/v1\noid x\n")
    elif name == "odd":
        (folder / "a:b\\c.j2").write_text("x")
    else:
        commit = git(repository, "rev-parse", "HEAD")
        entry = f"160000,{commit},presets/law/sub"
        git(repository, "update-index", "--add", "--cacheinfo", entry)
        git(repository, "commit", "-qm", "x")
        assert refused(address(repository)) == slug
        return
    committed(repository)
    assert refused(address(repository)) == slug


def test_nothing_of_the_repository_is_run(repository: Path, tmp_path: Path) -> None:
    told = tmp_path / "ran"
    folder = repository / "presets" / "law"
    (folder / ".gitattributes").write_text("*.j2 filter=evil ident text eol=crlf\n")
    (repository / ".gitmodules").write_text('[submodule "x"]\npath = x\nurl = ext::sh -c x\n')
    (folder / "--upload-pack=touch x").write_text("x")
    commit = committed(repository)
    git(repository, "config", "filter.evil.smudge", f"touch {told}")
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {told}\n")
    hook.chmod(0o755)
    _, preset = fetch_preset(address(repository, commit))
    assert (preset.folder / "ask.j2").read_text() == FILES["ask.j2"]
    assert not told.exists()


def test_a_repository_around_the_working_folder_does_not_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    git(here, "init", "-q")
    git(here, "config", "url.file:///nowhere/.insteadOf", f"file://{repository}")
    monkeypatch.chdir(here)
    monkeypatch.setenv("GIT_DIR", str(here / ".git"))
    fetch_preset(address(repository))


def test_size_is_bounded(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "presets" / "law" / "big.jsonl").write_bytes(os.urandom(300_000))
    committed(repository)
    monkeypatch.setattr(git_fetch, "MOST_BYTES", 200_000)
    assert refused(address(repository)) == "git-too-large"
    monkeypatch.setattr(git_fetch, "MOST_BYTES", 64_000_000)
    monkeypatch.setattr(git_fetch, "MOST_FILES", 2)
    assert refused(address(repository)) == "git-too-many"


def test_two_at_once_and_one_that_was_killed(repository: Path) -> None:
    wanted = address(repository)
    code = (
        "import sys\nfrom sftrecipe.recipe.presets.git_address import git_address\n"
        "from sftrecipe.recipe.presets.git_fetch import fetch_preset\n"
        "print('go', flush=True)\nfetch_preset(git_address(sys.argv[1]))\n"
    )
    own = {**os.environ, "TMPDIR": str(repository.parent)}  # what it leaves goes with the test
    command = [sys.executable, "-c", code, str(wanted)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, env=own)
    assert killed.stdout is not None
    killed.stdout.readline()
    time.sleep(0.08)
    killed.kill()
    killed.communicate()
    errors: list[BaseException] = []

    def add() -> None:
        try:
            fetch_preset(wanted)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    pinned = wanted.at(git(repository, "rev-parse", "HEAD"))
    assert kept_preset(pinned) is not None


def test_sha256_repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", "--object-format=sha256")
    (folder / "recipe.yaml").write_text("version: 1\nseed: 9\n")
    commit = committed(folder)
    assert len(commit) == 64
    pinned, _ = fetch_preset(address(folder, "main", ""))
    assert pinned.revision == commit
    assert kept_preset(pinned) is not None


ODD = [
    "git+https://user:secret@example.org/a/b@main#x",
    "git+https://token@example.org/a/b@main",
    "git+https://example.org/a/../../b@main",
    "git+https://example.org/a b@main",
    "git+https://-oProxyCommand=x/a@main",
    "git+ssh://-oProxyCommand=x/a@main",
    "git+ssh://-a@host/x@main",
    "git+ext::sh -c x",
    "git+http://example.org/a@main",
    "git+https://example.org/a@--upload-pack=x",
    "git+https://example.org/a@main#../x",
    "git+https://example.org/a@main#-x",
    "git+https://example.org/a@main#.git/hooks",
    "git+https://example.org/a@a..b",
    "git+https://example.org/$(id)@main",
    "git+https://example.org/a;id@main",
    "git+https://example.org/a@main\n",
    "git+https://example.org/%2e%2e@main",
    "git+https://example.org@main",
    "git+file://host/a@main",
    "git@github.com:a/b.git",
    "https://github.com/a/b",
    "ssh://host/a",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("text", ODD)
def test_odd_addresses(text: str) -> None:
    with pytest.raises(BadAddress) as raised:
        git_address(text)
    assert "secret" not in raised.value.shown


@pytest.mark.parametrize(
    "text",
    [
        "git+https://github.com/owner/repo.git@v1.2#presets/zh-legal",
        "git+ssh://git@example.org:2222/a/b@feature/x#p/recipe.yaml",
        "git+file:///home/李/presets@" + "a" * 40 + "#医疗",
        "git+https://example.org/a",
    ],
)
def test_addresses_are_read_as_they_are_written(text: str) -> None:
    assert str(git_address(text)) == text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"git\+(https|ssh|file)://\S{0,60}", fullmatch=True))
def test_any_text_is_an_address_of_plain_words_or_none(text: str) -> None:
    try:
        found = git_address(text)
    except BadAddress:
        return
    assert git_address(str(found)) == found
    for part in (found.revision, *found.path.split("/"), *found.place.split("/")[1:]):
        assert not part.startswith("-")
        assert part not in ("..", ".git")
    assert found.url.startswith(("https://", "ssh://", "file:///"))
    assert found.url.isprintable()
    assert not set(found.url + found.revision) & set("\"'`$;&|<>(){}[]*?!\\ %")


OLD = """#!/bin/sh
for word in "$@"; do case "$word" in --object-format*|--no-write-fetch-head)
echo "error: unknown option '$word'" >&2; exit 129;; esac; done
exec %s "$@"
"""
DYING = """#!/bin/sh
case "$*" in *"cat-file --batch") exit 0;; esac
exec %s "$@"
"""


@pytest.mark.parametrize(("program", "slug"), [(OLD, None), (DYING, "git-unreadable")])
def test_another_git(
    repository: Path, monkeypatch: pytest.MonkeyPatch, program: str, slug: str | None
) -> None:
    folder = repository.parent / "bin"
    folder.mkdir()
    (folder / "git").write_text(program % shutil.which("git"))
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    if slug is None:
        assert fetch_preset(address(repository))[1].name == "law"
        return
    with pytest.raises(UsageError) as raised:
        fetch_preset(address(repository))
    assert raised.value.problem.slug == slug


def test_what_another_process_keeps_meanwhile_is_not_moved(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fetch at once: the first one's files may be read when the second one's come."""
    takes_place, placed = git_cache._takes_place, list[int]()

    def late(new: Path, target: Path) -> bool:
        if not target.exists():
            shutil.copytree(new, target)
            placed.append(target.stat().st_ino)
        return takes_place(new, target)

    monkeypatch.setattr(git_cache, "_takes_place", late)
    _, preset = fetch_preset(address(repository))
    assert [preset.file.parent.parent.stat().st_ino] == placed
