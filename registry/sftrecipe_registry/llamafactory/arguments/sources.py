"""Read LLaMA-Factory's argument dataclasses and templates from source, importing none of it.

Importing them costs some ten seconds and a torch; parsing the few files that declare them costs a
fraction of one, and works on the environment that will really train.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sftrecipe_registry.llamafactory.arguments.argument import COMPUTED, Argument, ArgumentTable
from sftrecipe_registry.shared.processes.python_environment import installed_version

GROUPS = {
    "model": ("model_args", "ModelArguments"),
    "data": ("data_args", "DataArguments"),
    "training": ("training_args", "TrainingArguments"),
    "finetuning": ("finetuning_args", "FinetuningArguments"),
    "generating": ("generating_args", "GeneratingArguments"),
}
PLAIN_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict"})
SPLITTER = "split_arg"


def argument_table(site_packages: Path) -> ArgumentTable:
    """Return what the LLaMA-Factory installed in `site_packages` accepts."""
    folder = package_folder(site_packages, "llamafactory")
    if folder is None:
        raise FileNotFoundError(f"no llamafactory in {site_packages}")
    files = {
        group: (folder / "hparams" / f"{module}.py", name)
        for group, (module, name) in GROUPS.items()
    }
    arguments = declared_arguments(site_packages, files)
    names = ("llamafactory", "transformers")
    versions = [f"{name} {installed_version(site_packages, name) or 'unknown'}" for name in names]
    tree = _Sources(site_packages).tree(folder / "data" / "template.py")
    return ArgumentTable(", ".join(versions), arguments, frozenset(_templates(tree)))


def declared_arguments(
    site_packages: Path, classes: Mapping[str, tuple[Path, str]]
) -> dict[str, Argument]:
    """The arguments that dataclasses declare: group to the file and the name of its class.

    Raises ValueError where a file has no such class.
    """
    sources = _Sources(site_packages)
    arguments: dict[str, Argument] = {}
    for group, (file, name) in classes.items():
        found = sources.find(file, name)
        if found is None:
            raise ValueError(f"no class {name} in {file}")
        for argument in sources.arguments(found, group):
            arguments.setdefault(argument.name, argument)
    return arguments


def package_folder(site_packages: Path, package: str) -> Path | None:
    """Return the folder of an installed package, also of one installed as an editable checkout."""
    roots = [site_packages]
    for link in site_packages.glob("*.pth"):
        lines = link.read_text(encoding="utf-8", errors="replace").splitlines()
        roots += [site_packages / line for line in lines if line and not line.startswith("import ")]
    return next(
        (root / package for root in roots if (root / package / "__init__.py").exists()), None
    )


def _templates(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "register_template":
            named = {word.arg: word.value for word in node.keywords}
            name = named.get("name", node.args[0] if node.args else None)
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


@dataclass(frozen=True)
class _Class:
    """A class where it is declared."""

    path: Path
    node: ast.ClassDef


@dataclass
class _Sources:
    """The parsed files of an environment, and the classes found by following their imports."""

    site_packages: Path
    trees: dict[Path, ast.Module] = field(default_factory=dict)
    bindings: dict[Path, dict[str, list[ast.stmt]]] = field(default_factory=dict)

    def tree(self, path: Path) -> ast.Module:
        if path not in self.trees:
            self.trees[path] = ast.parse(path.read_text(encoding="utf-8"))
        return self.trees[path]

    def find(self, path: Path, name: str) -> _Class | None:
        """Return the class that a name means in a file, wherever it comes from."""
        # The last binding first: in `if …: Base = Special else: Base = Usual` it is the usual one.
        for statement in reversed(self._bindings(path).get(name, [])):
            found: _Class | None = None
            if isinstance(statement, ast.ClassDef):
                return _Class(path, statement)
            if isinstance(statement, ast.ImportFrom):
                module = self._module(path, statement)
                original = next(
                    alias.name for alias in statement.names if (alias.asname or alias.name) == name
                )
                found = self.find(module, original) if module and module != path else None
            elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
                found = self.find(path, statement.value.id)
            if found is not None:
                return found
        return None

    def _bindings(self, path: Path) -> dict[str, list[ast.stmt]]:
        if path not in self.bindings:
            names: dict[str, list[ast.stmt]] = {}
            for statement in _module_statements(self.tree(path).body):
                if isinstance(statement, ast.ClassDef):
                    names.setdefault(statement.name, []).append(statement)
                elif isinstance(statement, ast.ImportFrom):
                    for alias in statement.names:
                        names.setdefault(alias.asname or alias.name, []).append(statement)
                elif isinstance(statement, ast.Assign):
                    for target in statement.targets:
                        names.setdefault(_last_name(target), []).append(statement)
            self.bindings[path] = names
        return self.bindings[path]

    def _module(self, path: Path, statement: ast.ImportFrom) -> Path | None:
        parts = (statement.module or "").split(".") if statement.module else []
        if statement.level:
            base = path.parents[statement.level - 1]
        else:
            package = package_folder(self.site_packages, parts[0])
            if package is None:
                return None
            base, parts = package, parts[1:]
        target = base.joinpath(*parts)
        candidates = (target.with_name(f"{target.name}.py"), target / "__init__.py")
        return next((file for file in candidates if file.exists()), None)

    def arguments(self, owner: _Class, group: str) -> list[Argument]:
        """Return the arguments of a dataclass and of its bases, in the dataclass's own order."""
        arguments: dict[str, Argument] = {}
        for base in reversed(owner.node.bases):
            found = self.find(owner.path, _last_name(base))
            if found is not None:
                arguments |= {each.name: each for each in self.arguments(found, group)}
        for statement in owner.node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                name = statement.target.id
                options = _field_options(statement.value)
                if _literal(options.get("init")) is False:
                    arguments.pop(name, None)
                elif _last_name(statement.annotation) != "ClassVar":
                    arguments[name] = self._argument(owner, statement, group)
        for name in _split_at_commas(owner.node):
            arguments[name] = replace(arguments[name], splits=True)
        return list(arguments.values())

    def _argument(self, owner: _Class, statement: ast.AnnAssign, group: str) -> Argument:
        types: list[str] = []
        choices: list[object] = []
        members = list(_members(statement.annotation))
        enumerated = False
        for member in members:
            values = self._values(owner.path, member)
            enumerated = enumerated or (bool(values) and not isinstance(member, ast.Subscript))
            choices += values
            types += [type(value).__name__ for value in values] or [_type_name(member)]
        plain = {name for member in members if (name := _type_name(member)) in PLAIN_TYPES}
        # `SomeEnum | str` is transformers' way of saying that the string is made into the enum.
        closed = not plain or (enumerated and plain == {"str"})
        return Argument(
            name=ast.unparse(statement.target),
            types=tuple(dict.fromkeys(name for name in types if name != "NoneType")),
            optional="NoneType" in types,
            choices=tuple(choices) if closed else (),
            default=self._default(owner.path, _field_options(statement.value)),
            group=group,
        )

    def _values(self, path: Path, member: ast.expr) -> list[object]:
        """Return the values of a Literal or an enumeration, none for any other type."""
        if isinstance(member, ast.Subscript):
            if _last_name(member.value) != "Literal":
                return []
            elements = member.slice.elts if isinstance(member.slice, ast.Tuple) else [member.slice]
            return [ast.literal_eval(element) for element in elements]
        return list(self._enumeration(path, _last_name(member)).values())

    def _enumeration(self, path: Path, name: str) -> dict[str, object]:
        if name in PLAIN_TYPES:
            return {}
        found = self.find(path, name)
        if found is None or not any("Enum" in _last_name(base) for base in found.node.bases):
            return {}
        return {
            _last_name(statement.targets[0]): ast.literal_eval(statement.value)
            for statement in found.node.body
            if isinstance(statement, ast.Assign)
        }

    def _default(self, path: Path, options: Mapping[str, ast.expr]) -> object:
        if "default_factory" in options:
            factory = _last_name(options["default_factory"])
            return {"list": [], "dict": {}}.get(factory, COMPUTED)
        default = options.get("default")
        if isinstance(default, ast.Attribute):
            members = self._enumeration(path, _last_name(default.value))
            return members.get(default.attr, COMPUTED)
        return _literal(default)


def _module_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If | ast.Try):
            blocks = [statement.body, statement.orelse]
            if isinstance(statement, ast.Try):
                blocks += [handler.body for handler in statement.handlers]
            for block in blocks:
                yield from _module_statements(block)
        else:
            yield statement


def _members(annotation: ast.expr) -> Iterator[ast.expr]:
    """Yield the members of a union, however it is written."""
    if isinstance(annotation, ast.BinOp):
        yield from _members(annotation.left)
        yield from _members(annotation.right)
    elif isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Optional":
        yield from _members(annotation.slice)
        yield ast.Constant(None)
    elif isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Union":
        elements = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
        for element in elements:
            yield from _members(element)
    elif isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield from _members(ast.parse(annotation.value, mode="eval").body)
    else:
        yield annotation


def _type_name(member: ast.expr) -> str:
    if isinstance(member, ast.Constant) and member.value is None:
        return "NoneType"
    name = _last_name(member)
    return name.lower() if name in {"List", "Dict"} else name


def _last_name(node: ast.AST) -> str:
    """Return `c` for `c`, `a.b.c`, `c[…]` and `c(…)`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def _field_options(value: ast.expr | None) -> dict[str, ast.expr]:
    if isinstance(value, ast.Call) and _last_name(value) in {"field", "HfArg"}:
        return {word.arg: word.value for word in value.keywords if word.arg}
    return {"default": value} if value is not None else {}


def _literal(node: ast.expr | None) -> Any:
    if node is None:
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):  # 768 * 768
        left, right = _literal(node.left), _literal(node.right)
        return COMPUTED if COMPUTED in (left, right) else left * right
    try:
        return ast.literal_eval(node)
    except ValueError:
        return COMPUTED


def _split_at_commas(owner: ast.ClassDef) -> Iterator[str]:
    """Yield the arguments declared as text that the class itself splits into a list."""
    for node in ast.walk(owner):
        if isinstance(node, ast.Call) and _last_name(node.func) == SPLITTER and node.args:
            yield _last_name(node.args[0])
