"""What transformers makes of models and texts, for `gguf_export.py`; runs in the training
environment: `python gguf_reference.py FOLDER [MODEL]`.

FOLDER gets a small random model of every architecture that is written as GGUF (its tokenizer is
MODEL's), and `reference.json`: tokens of odd texts, greedy tokens and their log-probabilities.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

SMALL = {
    "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
    "initializer_range": 0.2,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
MODELS = {
    "llama": LlamaConfig(**SMALL, tie_word_embeddings=False),
    "llama-tied": LlamaConfig(**SMALL, tie_word_embeddings=True),
    "llama-biased": LlamaConfig(**SMALL, attention_bias=True),
    "llama-heads": LlamaConfig(**SMALL, head_dim=64),
    "llama-llama3": LlamaConfig(**SMALL, rope_parameters=LLAMA3),
    "llama-linear": LlamaConfig(**SMALL, rope_parameters=LINEAR),
    "mistral": MistralConfig(**SMALL, sliding_window=None),
    "qwen2": Qwen2Config(**SMALL),
    "qwen2-tied": Qwen2Config(**SMALL, tie_word_embeddings=True),
    "qwen3": Qwen3Config(**SMALL, head_dim=64),
}
QUESTIONS = [
    "What is the visiting time of Ward 7?", "Who runs the clinic's pharmacy?", "Name a colour.",
    "Where is the blood test taken?", "Write one sentence about rain.", "What is 12 + 30?",
    "How do I cancel an appointment?", "Translate 'good morning' into French.",
    "七号病房几点可以探视？", "药房由谁负责？", "在哪里抽血？", "你好！", "用一句话介绍北京。",
]  # fmt: skip
ODD = [
    "", " ", "a", "  two  spaces ", "\n\n\ttabs\n", "1234567890", "3.14e-10", "don't we'll I'M",
    "中文，标点。「引号」", "日本語とカタカナ", "한국어 문장", "العربية", "Ünïcödé naïve café",
    "e\u0301 combined", "😀👩‍👩‍👧‍👦🏳️‍🌈", "\u200bzero\u200d width", "x" * 300, "a\r\nb\rc",
    "<|im_start|>user\nhi<|im_end|>", "<|endoftext|>", "<not special>",
    "def f(x):\n    return x**2",
    "    indented\n\t\tmore", "…—–‘’“”", "½ ² ① Ⅻ", "ﬁ ligature", "\ufeffbom", "　全角空格　１２３",
    "https://a.b/c?d=e&f=%20", "\U0001d54f\U0001d550", "ไทย", "हिन्दी १२३", "𠮷野家", "a\u200bb",
]  # fmt: skip
STEPS = 40


def main(folder: Path, models: list[Path]) -> None:
    torch.set_num_threads(1)
    found = {}
    for name, config in MODELS.items():
        place = folder / name
        made(place, config, models[0])
        found[name] = facts(place)
    for model in models:
        found[str(model)] = facts(model)
    (folder / "reference.json").write_text(json.dumps(found, ensure_ascii=False), "utf-8")


def made(place: Path, config: LlamaConfig, tokens_of: Path) -> None:
    """A random model with another one's tokenizer."""
    torch.manual_seed(7)
    tokenizer = AutoTokenizer.from_pretrained(tokens_of)
    config.vocab_size = len(tokenizer) + 16  # rows that no token has, as Qwen's
    config.eos_token_id, config.bos_token_id = tokenizer.eos_token_id, tokenizer.bos_token_id
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for name, values in model.named_parameters():
        if values.dim() == 1:  # norms and biases are else all ones and noughts
            torch.nn.init.normal_(values, 1.0 if "norm" in name else 0.0, 0.3)
    model.save_pretrained(place)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (tokens_of / file).exists():
            shutil.copy(tokens_of / file, place)


def facts(model: Path) -> dict[str, object]:
    """Tokens, and what it writes by taking the likeliest token each time."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    tokens = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in ODD]
    answers = []
    for question in QUESTIONS:
        turns = [{"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        given = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            written = network.generate(given, max_new_tokens=STEPS, do_sample=False)[0]
            odds = torch.log_softmax(network(written[None]).logits[0].double(), -1)
        start = given.shape[1]
        best = odds[start - 1 : -1].topk(2)
        answers.append({
            "prompt": prompt,
            "given": given[0].tolist(),
            "written": written[start:].tolist(),
            "text": tokenizer.decode(written[start:], skip_special_tokens=True),
            "logprobs": [odds[at - 1, written[at]].item() for at in range(start, len(written))],
            "margins": (best.values[:, 0] - best.values[:, 1]).tolist(),
        })  # fmt: skip
    return {"odd": list(zip(ODD, tokens, strict=True)), "answers": answers}


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
