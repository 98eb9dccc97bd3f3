"""Self-instruct, template mode: drawing, asking, reading replies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sftrecipe import CallFailed, Context, Record, Reject
from sftrecipe.plugin import OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.methods.self_instruct.template import SelfInstruct

TEMPLATE = """\
Write {{ count }} items on {{ entities.disease }} like:
{% for example in examples %}{{ example.instruction }} {{ example.output }}
{% endfor %}{{ number }}."""
SEEDS = [{"instruction": f"Question {n}?", "input": "", "output": f"A{n}"} for n in range(12)]
DISEASES = [f"disease {n}" for n in range(40)]


def context(tmp_path: Path, model: FakeModel, diseases: list[str] = DISEASES) -> Context:
    (tmp_path / "t.j2").write_text(TEMPLATE)
    (tmp_path / "d.yaml").write_text(json.dumps({"all": diseases}))
    files = OptionFiles({name: str(tmp_path / name) for name in ("t.j2", "d.yaml")})
    return Context(step="ask", seed=7, files=files, models={"": model}, concurrency=8)


def plugin(**options: object) -> SelfInstruct:
    return SelfInstruct(
        template="t.j2", entities={"disease": "d.yaml"}, **{"rounds": 10, **options}
    )


def items_of(request: Request) -> str:
    prompt = request.messages[0]["content"]
    made = [{"instruction": f"{n}: {hash_of(prompt)}", "output": "Yes."} for n in range(3)]
    return f"Sure:\n```json\n{json.dumps(made)}\n```"


def hash_of(text: str) -> str:
    return Context(step="x").number(text).to_bytes(8, "big").hex()


async def made_by(generator: SelfInstruct, seeds: RowList, ctx: Context) -> list[Record | Reject]:
    return [item async for item in generator.generate(seeds, ctx)]


async def test_calls_are_rounds_times_seeds_each_with_one_seed_and_one_entity(
    tmp_path: Path,
) -> None:
    model = FakeModel(items_of)
    made = await made_by(plugin(), RowList.of(*SEEDS), context(tmp_path, model))
    assert len(model.requests) == 30
    assert len(made) == 90
    for item in made:
        assert isinstance(item, Record)
        assert len(item.parents) == len(item.calls) == 1
        assert item.tags["disease"] in DISEASES
    assert len({item.parents for item in made if isinstance(item, Record)}) > 8


@pytest.mark.parametrize("distinct", [False, True])
async def test_entities_of_a_round_are_different_on_request(tmp_path: Path, distinct: bool) -> None:
    model = FakeModel(items_of)
    generator = plugin(rounds=40, seeds_per_round=4, distinct_entities=distinct)
    ctx = context(tmp_path, model, diseases=DISEASES[:5])
    made = await made_by(generator, RowList.of(*SEEDS), ctx)
    said = [item.tags["disease"] for item in made[::3] if isinstance(item, Record)]
    rounds = [said[at : at + 4] for at in range(0, len(said), 4)]
    assert len(rounds) == 40
    repeated = sum(len(set(each)) < 4 for each in rounds)
    assert repeated == 0 if distinct else repeated > 20
    assert len({tuple(each) for each in rounds}) > 20, "all orders are drawn"
    assert set(said) == set(DISEASES[:5])


async def test_draws_that_do_not_collide_stay_what_they_were(tmp_path: Path) -> None:
    usual, distinct = FakeModel(items_of), FakeModel(items_of)
    for model, named in ((usual, False), (distinct, True)):
        ctx = context(tmp_path, model, diseases=DISEASES[:6])
        await made_by(plugin(distinct_entities=named), RowList.of(*SEEDS), ctx)
    prompts = [{str(request.messages) for request in model.requests} for model in (usual, distinct)]
    assert 0 < len(prompts[1] - prompts[0]) < 15


def test_too_few_values_for_a_round_are_told(tmp_path: Path) -> None:
    ctx = context(tmp_path, FakeModel(items_of), diseases=["one", "two"])
    few = plugin(seeds_per_round=3, distinct_entities=True)
    (problem,) = few.problems(frozenset({"instruction"}), ctx.files)
    assert problem.path == ("entities", "disease")
    assert "2 values, fewer than the 3 calls of a round" in problem.message
    assert not list(plugin(seeds_per_round=3).problems(frozenset({"instruction"}), ctx.files))
    none = SelfInstruct(template="t.j2", distinct_entities=True)
    problems = list(none.problems(frozenset({"instruction"}), ctx.files))
    assert ("distinct_entities",) in [problem.path for problem in problems]


async def test_the_order_of_replies_does_not_matter(tmp_path: Path) -> None:
    runs = [
        await made_by(
            plugin(), RowList.of(*SEEDS), context(tmp_path, FakeModel(items_of, seed=seed))
        )
        for seed in (1, 2)
    ]
    assert runs[0] == runs[1]


async def test_one_more_seed_asks_its_own_calls_alone(tmp_path: Path) -> None:
    before, after = FakeModel(items_of), FakeModel(items_of)
    more = [*SEEDS[:3], {"instruction": "New?", "input": "", "output": "N"}, *SEEDS[3:]]
    for shown in (1, 4):
        generator = plugin(examples=shown)
        await made_by(generator, RowList.of(*SEEDS), context(tmp_path, before))
        await made_by(generator, RowList.of(*more), context(tmp_path, after))
    known = {(str(request.messages), request.sample) for request in before.requests}
    new = [r for r in after.requests if (str(r.messages), r.sample) not in known]
    assert new
    assert all("New?" in str(request.messages) for request in new)


async def test_equal_prompts_are_different_samples(tmp_path: Path) -> None:
    model = FakeModel(items_of)
    generator = plugin(rounds=6, seeds_per_round=1)
    ctx = context(tmp_path, model, diseases=["only"])
    await made_by(generator, RowList.of(SEEDS[0]), ctx)
    assert sorted(request.sample for request in model.requests) == list(range(6))


async def test_a_reply_without_a_list_is_asked_for_again_and_then_lost(tmp_path: Path) -> None:
    model = FakeModel(lambda request: "I would rather chat.")
    generator = plugin(rounds=1, seeds_per_round=1, repairs=2)
    made = await made_by(generator, RowList.of(*SEEDS), context(tmp_path, model))
    assert [item.reason for item in made if isinstance(item, Reject)] == ["not_json"]
    assert [len(request.messages) for request in model.requests] == [1, 3, 5]
    assert len(made[0].record.calls) == 3


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"instruction": "", "output": "x"}, "no_instruction"),
        ({"output": "x"}, "no_instruction"),
        ({"instruction": "Ask?", "output": " "}, "no_output"),
        ({"instruction": 3, "output": "x"}, "not_text"),
        ({"instruction": "question 4? ", "output": "x"}, "copies_example"),
    ],
)
async def test_a_bad_item_is_rejected_and_its_neighbours_kept(
    tmp_path: Path, item: dict[str, object], reason: str
) -> None:
    good = {"instruction": "Good?", "input": None, "output": "Fine."}
    model = FakeModel(lambda request: json.dumps([good, item, good]))
    generator = plugin(rounds=1, seeds_per_round=1)
    made = await made_by(generator, RowList.of(SEEDS[4]), context(tmp_path, model))
    assert [isinstance(each, Record) for each in made] == [True, False, True]
    assert made[1].reason == reason
    assert made[0].columns == {"instruction": "Good?", "output": "Fine."}


async def test_a_nested_item_is_read(tmp_path: Path) -> None:
    nested = {"instruction": "Q?", "instances": [{"input": "i", "output": "o"}]}
    model = FakeModel(lambda request: json.dumps(nested))
    generator = plugin(rounds=1, seeds_per_round=1)
    made = await made_by(generator, RowList.of(SEEDS[4]), context(tmp_path, model))
    assert made[0].columns == {"instruction": "Q?", "input": "i", "output": "o"}


async def test_a_numbered_list_is_completed(tmp_path: Path) -> None:
    def complete(request: Request) -> str:
        assert request.kind == "complete"
        assert request.prompt.endswith("5.")
        assert request.sampling["stop"] == ["\n"]
        return " What helps with a cough?"

    generator = plugin(reply="list", examples=4, rounds=2, stop=["\n"])
    assert generator.required() == {"complete"}
    model = FakeModel(complete)
    made = await made_by(generator, RowList.of(*SEEDS), context(tmp_path, model))
    assert len(made) == 6
    assert made[0].columns == {"instruction": "What helps with a cough?"}
    assert len(made[0].parents) == 4


async def test_a_failed_call_is_a_reject_and_the_rest_goes_on(tmp_path: Path) -> None:
    def answer(request: Request) -> str:
        if "Question 3?" in str(request.messages):
            raise CallFailed("final", "model is on fire")
        return items_of(request)

    made = await made_by(plugin(), RowList.of(*SEEDS), context(tmp_path, FakeModel(answer)))
    lost = [item for item in made if isinstance(item, Reject)]
    assert lost
    assert {(item.reason, item.value) for item in lost} == {("call_failed", "model is on fire")}
    assert len(made) - len(lost) == 3 * (30 - len(lost))


def test_an_entity_file_without_texts_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("just: text")
    (tmp_path / "t.j2").write_text("{{ entities.disease }}")
    files = OptionFiles({name: str(tmp_path / name) for name in ("d.yaml", "t.j2")})
    found = list(plugin().problems(frozenset({"question"}), files))
    assert [problem.path for problem in found] == [("entities", "disease"), ("template",)]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ examples }}", [("entities", "disease")]),
        ("{{ entities.disaese }}", [("entities", "disease"), ("template",)]),
        ("{{ entities.disaese | default('') }} {{ examples }}", [("entities", "disease")]),
        ("{{ entities['disease'] }}", []),
        ("{% for name in entities %}{{ entities[name] }}{% endfor %}", []),
        ("{% for name, value in entities.items() %}{{ value }}{% endfor %}", []),
        ("{{ entities | json }}", []),
    ],
)
def test_entities_that_the_template_does_not_use_are_told(
    tmp_path: Path, template: str, told: list[tuple[str, ...]]
) -> None:
    (tmp_path / "d.yaml").write_text("[flu]")
    (tmp_path / "t.j2").write_text(template)
    files = OptionFiles({name: str(tmp_path / name) for name in ("d.yaml", "t.j2")})
    found = plugin().problems(frozenset({"instruction"}), files)
    assert sorted(problem.path for problem in found) == sorted(told)
