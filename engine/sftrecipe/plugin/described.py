"""Attribute docstrings as the descriptions of fields, read only when a JSON Schema is made."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """Options that are frozen, refuse unknown keys and are documented by attribute docstrings.

    Pydantic's own `use_attribute_docstrings` parses the source of every class at import, which
    costs `validate` a tenth of its time; here it is parsed when somebody reads the schema.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for field, text in field_docs(cls).items():
            alias = cls.model_fields[field].alias or field
            if alias in properties:
                properties[alias].setdefault("description", text)
        return schema


@cache
def field_docs(options: type[BaseModel]) -> Mapping[str, str]:
    """The docstring of every field that has one, inherited fields included."""
    texts: dict[str, str] = {}
    for owner in reversed(options.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            texts.update(_own_docs(owner))
    return {name: texts[name] for name in options.model_fields if name in texts}


def _own_docs(owner: type[Any]) -> dict[str, str]:
    try:
        tree = ast.parse(dedent(inspect.getsource(owner)))
    except (OSError, TypeError, SyntaxError):  # made at run time: no source to read
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for field, after in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(after.value.value)
    return found
