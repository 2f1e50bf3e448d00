"""A random LTX of about 0.3 billion parameters in the real folder format: what memory is measured on."""

from __future__ import annotations

from pathlib import Path

import torch

from engines.backend.tiny import save_tiny_ltx

# The text encoder is about as large beside the transformer as T5-XXL is beside LTX-Video 13B.
TRANSFORMER = {
    "in_channels": 8, "out_channels": 8, "num_attention_heads": 16, "attention_head_dim": 64,
    "cross_attention_dim": 1024, "num_layers": 14, "caption_channels": 512,
}  # fmt: skip
TEXT = {"d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 8}


def random_ltx(folder: Path) -> Path:
    """Makes it, if it is not there."""
    if (folder / "complete").exists():
        return folder
    from diffusers import LTXVideoTransformer3DModel
    from transformers import AutoTokenizer, T5Config, T5EncoderModel

    save_tiny_ltx(folder)
    torch.manual_seed(11)
    LTXVideoTransformer3DModel(**TRANSFORMER).save_pretrained(folder / "transformer", safe_serialization=True)
    words = len(AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True))
    T5EncoderModel(T5Config(vocab_size=words, **TEXT)).save_pretrained(folder / "text_encoder")
    (folder / "complete").touch()
    return folder
