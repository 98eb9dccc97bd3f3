"""What of a text is written in a natural language: code, addresses, markup and formulas are not."""

from __future__ import annotations

import re

_FENCED = re.compile(r"(```|~~~).*?(?:\1|\Z)", re.DOTALL)
_FORMULAS = re.compile(
    r"\$\$.{1,2000}?\$\$|\\\[.{1,2000}?\\\]|\\\(.{1,500}?\\\)"
    r"|\\begin\{(\w+\*?)\}.{0,4000}?\\end\{\1\}"
    r"|\$(?=[^$\n]{0,200}[\\^_=+{])[^$\n]{1,200}\$",
    re.DOTALL,
)
_COMMANDS = re.compile(r"\\[a-zA-Z]+(?:\{[^{}\n]{0,80}\})*")
_CODE_TAGS = re.compile(r"<(script|style|pre|code|svg)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.I)
_TAGS = re.compile(
    r"<!--.*?(?:-->|\Z)|</?[a-zA-Z][^<>\n]{0,300}>|&(?:[a-zA-Z]{2,8}|#\d+);", re.DOTALL
)
_LINKS = re.compile(r"(!?)\[([^\[\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]*\))*[^()\n]*\)")
_INLINE = re.compile(r"`[^`\n]{1,300}`")
_ADDRESSES = re.compile(
    r"\b(?:https?|ftp|file|git|ssh)://[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+"
    r"|\bwww\.[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"
    r"|(?<![\w.])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][\w.@+-]{1,64}){2,}[/\\]?"
    r"|\b[\w-]{1,64}(?:\.[\w-]{1,64}){0,3}\.(?:com|org|net|io|cn|edu|gov|html?|py|js|ts|json|ya?ml"
    r"|md|txt|csv|pdf|java|cpp|sh|css|xml|exe|zip|png|jpe?g)\b"
)
_IDENTIFIERS = re.compile(
    r"\b[A-Za-z]\w*(?:_\w+|(?:::|->|\.)[A-Za-z_]\w*\()\w*|\b[A-Za-z_][\w.]*\([^()\n]{0,80}\)"
    r"|\b[a-z]+(?:[A-Z][a-z0-9]+)+\b|(?<!\w)--?[a-z][\w-]+|[#@$%]\w+|\b0x[0-9a-fA-F]+\b"
)
_HAS_ADDRESS = re.compile(r"[/@\\]|\w\.[A-Za-z]")
_HAS_IDENTIFIER = re.compile(r"[_#$%]|\w\(|::|->|[a-z][A-Z]|-[a-z]|@\w|0x")
"""What an address and an identifier have: two fast searches save two slow ones in most texts."""
_QUOTED = re.compile(
    r"“[^“”\n]{1,600}”|「[^「」\n]{1,600}」|『[^『』\n]{1,600}』|《[^《》\n]{1,200}》"
    r"|«[^«»\n]{1,600}»|„[^„“”\n]{1,600}[“”]|\"[^\"\n]{1,600}\"|‘[^‘’\n]{8,600}’"
)

_STATEMENT = re.compile(
    r"""\s*(?:
        import\s+[\w.*{}'",\s/@-]+(?:\bas\s+\w+|\bfrom\s+\S+)?;?\s*$(?<![.?!])
        |from\s+[\w.]+\s+import\b | (?:package|using|use)\s+[\w.:\\]+;
        |(?:export\s+)?(?:default\s+)?(?:async\s+)?
            (?:def|function|func|fn|sub|class|interface|struct|enum|trait|impl|namespace|module)\s+
            \w[\w.:<>]*\s*(?:[({:<].*|(?:extends|implements)\b.*)?[{:;)]\s*$
        |[}\s]*(?:if|elif|else|while|for|switch|case|catch|with|foreach|until|try|finally|do)\b.*
            [{:;)\]]\s*$
        |(?:let|const|var|val)\s+[\w{\[(,\s]+.*=
        |(?:(?:static|final|public|private|protected|readonly|unsigned|const)\s+)*
            (?:int|float|double|char|void|bool|boolean|string|String|long|auto|List<.*>|vector<.*>)
            [\s\[\]*&]+\w+\s*(?:[=;({,\[].*)?$
        |(?:public|private|protected|static)\s+\w[\w<>\[\]]*\s+\w.*[({;]\s*$
        |return\b.*[;)\]}]\s*$ | return\s+[\w.]+\s*$
        |(?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE|ALTER|DROP|FROM|WHERE|AND|JOIN|ON
            |(?:LEFT|RIGHT|INNER|OUTER|FULL)\s+JOIN|GROUP\s+BY|ORDER\s+BY|VALUES|HAVING|LIMIT|SET
            |UNION)\b.*
        |(?:print|printf|println|echo|cout|cin|puts|assert|raise|throw|await|yield|del)\s*
            (?:\(|<<|>>|").*
        |(?:console|System|document|Math|fmt|std|os|np|pd|plt|self|this)[.:]+\w.*
        |(?:sudo|pip3?\s+install|npm|npx|yarn|apt(?:-get)?\s+install|docker|kubectl|cd|ls|mkdir|rm|cp
            |mv|curl|wget|chmod|conda|brew|cargo|python3?|node|bash|sh)\s+[-\w./~].{0,80}$(?<![.?!,:])
        |git\s+(?:add|clone|commit|push|pull|init|checkout|merge|rebase|status|log|diff|branch)\b
        |(?:\$|>>>|\.\.\.)\s+\w
        |@\w[\w.]*(?:\(.*\))?\s*$
        |\#\s*(?:include|define|ifdef|ifndef|endif|pragma)\b
        |(?://|/\*|\*/|\#!)
        |[\w.\[\]'"]+\s*(?:[-+*/|&%:<>=!]|\*\*)?=\s*\S
        |["'][\w\s-]{1,40}["']\s*:\s*["'\[{\dtfn]
        |[}\])]+[;,]?\s*$
        |<\?(?:php|xml)
    )""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"""\s*(?:\#(?!\#)|\*\s|\"{3}|'{3}|--|%|\S.{0,80}\s\#\s)""")
_SIGNS = re.compile(r"[{}\[\]()<>=;+/&^~$@\\]")
_LETTERS = re.compile(r"[^\W\d_]")
_SPACES = re.compile(r"[ \t]+")


def prose(text: str) -> str:
    """The text without what belongs to no language; lines stay lines.

    Code is recognised by fences, tags and the shape of its lines: rows of real data seldom fence.
    """
    if "```" in text or "~~~" in text:
        text = _FENCED.sub("\n", text)
    if "<" in text or "&" in text:
        text = _TAGS.sub(" ", _CODE_TAGS.sub(" ", text))
    if "$" in text or "\\" in text:
        text = _COMMANDS.sub(" ", _FORMULAS.sub(" ", text))
    if "](" in text:
        text = _LINKS.sub(lambda found: " " if found[1] else found[2], text)
    if "`" in text:
        text = _INLINE.sub(" ", text)
    text = "\n".join(_written_lines([line for line in text.split("\n") if line]))
    if _HAS_ADDRESS.search(text):
        text = _ADDRESSES.sub(" ", text)
    if _HAS_IDENTIFIER.search(text):
        text = _IDENTIFIERS.sub(" ", text)
    return _SPACES.sub(" ", text).strip()


def without_quotes(text: str) -> str:
    """The text without what stands in quotation marks, where something else is left of it."""
    return _QUOTED.sub(" ", text)


def quotes(text: str) -> list[str]:
    """What stands in quotation marks."""
    return _QUOTED.findall(text)


def _written_lines(lines: list[str]) -> list[str]:
    """Those that are no code, nor comments beside it."""
    code = [_is_code(line) for line in lines]
    if not any(code):
        return lines
    written = []
    for place, line in enumerate(lines):
        beside = code[max(0, place - 1) : place + 2]
        if any(beside) and not code[place] and _COMMENT.match(line):
            code[place] = True
        if not code[place]:
            written.append(line)
    return written


def _is_code(line: str) -> bool:
    """Whether a line is code: it begins as a statement does, or is made of signs."""
    letters = len(_LETTERS.findall(line))
    if not letters:
        return True
    signs = len(_SIGNS.findall(line))
    if signs >= 3 and signs * 3 >= letters:
        return True
    return (signs >= 2 or line.isascii()) and _STATEMENT.match(line) is not None
