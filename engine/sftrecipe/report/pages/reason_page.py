"""docs/reasons.md, from plugins' texts: `python -m sftrecipe.report.pages.reason_page` prints it.

With `zh` behind it, it prints docs/reasons.zh.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sftrecipe.messages import in_user_language
from sftrecipe.messages.catalogues import OWN, catalogue
from sftrecipe.plugin.discovery import KINDS, plugins
from sftrecipe.plugin.reasons import Reason, packages_of, reason_of

_HEAD = {
    "en": """\
# Reasons to reject a row

What stands in `rejects.jsonl` under `reason`, what it means, and what to change where there is
something to change. Plugins are named where they say that a reason is theirs. A plugin of your own
explains its reasons beside its module (docs/plugins.md).

| reason | means | what to change | plugins |
|---|---|---|---|
""",
    "zh": """\
# 剔除数据行的原因

`rejects.jsonl` 中 `reason` 的含义，以及可以修改什么。插件自己声明的原因列出其插件名。
你自己的插件在模块旁边说明它的原因（docs/plugins.md）。

| 原因 | 含义 | 处理办法 | 插件 |
|---|---|---|---|
""",
}


@dataclass
class _Row:
    """A reason as one package explains it."""

    reason: Reason
    plugins: list[str] = field(default_factory=list)


def reason_page(language: str) -> str:
    """The page of the built-in plugins' reasons and the engine's, in Markdown."""
    return _HEAD[language] + "".join(f"{line}\n" for line in _lines(language))


def _lines(language: str) -> Iterator[str]:
    for (name, _), row in sorted(_rows().items()):
        said = (row.reason.meaning, row.reason.remedy)
        texts = (in_user_language(each, language) for each in said)
        cells = (f"`{name}`", *texts, ", ".join(sorted(set(row.plugins))))
        yield f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


def _rows() -> dict[tuple[str, str], _Row]:
    """By the reason and its English meaning."""
    found: dict[tuple[str, str], _Row] = {}
    for name in catalogue(OWN, "en").reasons:
        _add(found, name, reason_of(name))
    for kind in KINDS:
        for plugin_name, plugin in plugins(kind).items():
            if plugin.entry.value.startswith("sftrecipe_registry."):
                loaded = plugin.load()
                for package in packages_of(loaded):
                    for name in catalogue(package, "en").reasons:
                        _add(found, name, reason_of(name, loaded))
                for name in loaded.decides:
                    _add(found, name, reason_of(name, loaded)).plugins.append(plugin_name)
    return found


def _add(found: dict[tuple[str, str], _Row], name: str, reason: Reason) -> _Row:
    return found.setdefault((name, str(reason.meaning)), _Row(reason))


if __name__ == "__main__":
    import sys

    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(reason_page("zh" if sys.argv[1:] == ["zh"] else "en"))
