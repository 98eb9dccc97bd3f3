"""Documents cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from sftrecipe import Context, Record
from sftrecipe.testing import RowList
from sftrecipe_registry.generators.pretrain_text import PretrainText, tidied

DOCUMENT = st.text("ab .。\n，汉\u3000", max_size=300)


@given(DOCUMENT, st.integers(1, 60))
async def test_no_character_is_lost_and_no_piece_too_long(text: str, most: int) -> None:
    (row,) = RowList.of({"text": text})
    made = await PretrainText(max=most, min=5 if most > 5 else 0).generate_row(row, Context("t"))
    pieces = [item if isinstance(item, Record) else item.record for item in made]
    assert all(len(piece.columns["text"]) <= most for piece in pieces)
    joined = "".join("".join(piece.columns["text"].split()) for piece in pieces)
    assert joined == "".join(tidied(text).split())
