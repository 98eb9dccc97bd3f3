"""ROUGE-L novelty as Alpaca's script does it, in one process: every text against all kept ones.

python alpaca_novelty.py TEXTS.json

Prints how many are kept, and a digest of which.
"""

import hashlib
import json
import sys
from pathlib import Path

from rouge_score.rouge_scorer import RougeScorer, _score_lcs

scorer = RougeScorer(["rougeL"], use_stemmer=False)
kept: list[list[str]] = []
places = []
for place, text in enumerate(json.loads(Path(sys.argv[1]).read_text("utf-8"))):
    tokens = scorer._tokenizer.tokenize(text)
    if max((_score_lcs(tokens, other).fmeasure for other in kept), default=0) <= 0.7:
        kept.append(tokens)
        places.append(place)
print(len(places), hashlib.sha256(repr(places).encode()).hexdigest()[:16])
