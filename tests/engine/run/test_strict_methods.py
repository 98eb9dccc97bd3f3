"""`strict_original` and its kin by the real command: what is asked, rejected and drawn."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.support.odd_server import Sent, odd_server, told
from tests.support.standin_runs import Whole

AUGCON = """\
version: 1
name: whole
language: zh
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
sources: {{articles: {{use: jsonl, path: seeds.jsonl}}}}
generate:
  - {{id: contexts, use: chunk, from: articles,
      with: {{max: 60, min_paragraph: 10, strict_original: true}}}}
  - {{id: queries, use: augcon_queries, from: contexts, provider: p,
      with: {{mode: chat, strict_original: true, trees: 1}}}}
export:
  - {{use: jsonl, from: queries}}
"""
ROUNDS = """\
version: 1
name: whole
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
sources: {{seeds: {{use: jsonl, path: seeds.jsonl}}}}
generate:
  - id: ask
    use: self_instruct
    from: seeds
    provider: p
    with:
      template: prompt.j2
      entities: {{disease: diseases.yaml}}
      rounds: 6
      seeds_per_round: 4
      distinct_entities: true
export:
  - {{use: jsonl, from: ask}}
"""
FIRST = "发烧时要多喝水，也要注意休息，不要急着吃药，先量体温。三天不退就要去看医生，孩子更早一些。"
SECOND = "咳嗽大多会自己好转，睡觉时把头垫高，白天多喝温水。"


def test_augcon_asks_about_whole_paragraphs_that_are_good_for_a_question(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return told("什么时候要去看医生？\n语境1：甲。\n语境2：乙。")

    with odd_server(answers) as server:
        whole = Whole(tmp_path, server.url)
        (tmp_path / "recipe.yaml").write_text(AUGCON.format(url=server.url), "utf-8")
        article = {"text": f"标题\n{FIRST}\n{SECOND}"}
        (tmp_path / "seeds.jsonl").write_text(json.dumps(article) + "\n")
        whole.run()
        asked = list(server.asked)
    rows = [json.loads(line) for line in (whole.out / "whole.jsonl").open()]
    assert [(row["context"], row["wanted"]) for row in rows] == [(FIRST, len(FIRST) // 35)]
    assert [FIRST in said for said in asked] == [True]
    lost = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    assert {reject["reason"]: reject["value"] for reject in lost} == {
        "short_paragraph": 2,
        "none_wanted": len(SECOND),
    }


def test_every_entity_is_drawn_once_in_a_round(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return told(json.dumps([{"instruction": f"{said[-20:]} {before}?", "output": "So."}]))

    diseases = [f"disease {n}," for n in "abcd"]  # as many as a round has calls
    with odd_server(answers) as server:
        whole = Whole(tmp_path, server.url)
        (tmp_path / "recipe.yaml").write_text(ROUNDS.format(url=server.url))
        (tmp_path / "diseases.yaml").write_text(json.dumps(diseases))
        whole.run()
        asked = Counter(server.asked)
    for disease in diseases:
        assert sum(times for said, times in asked.items() if disease in said) == 6
