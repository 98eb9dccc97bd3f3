"""`sftrecipe init`: start a project."""

from __future__ import annotations

from pathlib import Path

import click

_RECIPE = """\
version: 1
name: {name}
language: {language}
seed: 42

providers:
  teacher: {{use: embedded}}          # a small model on this machine; or openai, ernie, vllm …

sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}

generate:
  - {{id: answered, use: respond, from: seeds, provider: teacher, with: {{max_tokens: 200}}}}

filter:
  - {{use: length, with: {{field: output, min_chars: 20}}}}

export:
  - {{use: llamafactory, with: {{formatting: alpaca}}}}
"""
_SEEDS = {
    "en": (
        "How do I keep cut flowers fresh for longer?",
        "What is the difference between a loan and a lease?",
        "Name three stretches for people who sit all day.",
    ),
    "zh": ("怎样让鲜花开得更久？", "贷款和租赁有什么区别？", "久坐的人可以做哪三种拉伸？"),
}


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", help="Of the data.")
def init(folder: Path, language: str) -> None:
    """Start a project: a recipe that runs, its seeds, a catalogue.

    Nothing that stands in the folder is touched.
    """
    import orjson  # noqa: PLC0415

    from sftrecipe.errors import UsageError  # noqa: PLC0415
    from sftrecipe.recipe.json_schema import RECIPE_FILE, schema_text, schemas  # noqa: PLC0415

    name = "".join(c if c.isalnum() or c in "_-" else "_" for c in folder.resolve().name)
    recipe = _RECIPE.format(schema=RECIPE_FILE, name=name or "recipe", language=language)
    seeds = [orjson.dumps({"instruction": text}).decode() for text in _SEEDS[language]]
    files = {
        "recipe.yaml": recipe,
        "seeds.jsonl": "\n".join(seeds) + "\n",
        "dataset_info.json": "{}\n",
        RECIPE_FILE: schema_text(schemas()[RECIPE_FILE]),
        ".gitignore": ".sftrecipe/\nruns/\n",
    }
    taken = [file for file in files if (folder / file).exists()]
    if taken:
        raise UsageError("init-taken", "init-folder", folder=str(folder), file=taken[0])
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_text(content, encoding="utf-8")
    click.echo(f"{folder / 'recipe.yaml'} is ready; next: sftrecipe run {folder / 'recipe.yaml'}")
