"""ROUGE-L novelty by `rouge_novelty`: prints how many are kept, and a digest of which.

python novelty.py TEXTS.json
"""

import hashlib
import json
import sys
from pathlib import Path

from sftrecipe import Context
from sftrecipe.testing import RowList
from sftrecipe_registry.filters.rouge_novelty import RougeNovelty

texts = json.loads(Path(sys.argv[1]).read_text("utf-8"))
rows = RowList.of(*({"instruction": text} for text in texts))
verdicts = RougeNovelty(max=0.7, tokenizer="rouge_en").judge(rows, Context("novelty"))
places = [place for place, verdict in enumerate(verdicts) if verdict.keep]
print(len(places), hashlib.sha256(repr(places).encode()).hexdigest()[:16])
