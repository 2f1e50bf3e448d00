"""Tiny random checkpoints of the real classes: what tests load instead of gigabytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from engines.backend.catalogue import Catalogue, ModelCard, load_catalogue

WORDS = ["a", "red", "fox", "bounces", "on", "green", "field", "apple", "spins", "beach", "the"]


def tiny_transformer(channels: int, caption_channels: int) -> Any:
    from diffusers import LTXVideoTransformer3DModel

    torch.manual_seed(0)
    return LTXVideoTransformer3DModel(
        in_channels=channels,
        out_channels=channels,
        num_attention_heads=2,
        attention_head_dim=24,
        cross_attention_dim=48,
        num_layers=2,
        caption_channels=caption_channels,
    ).eval()


def save_tiny_ltx(folder: Path, scheduler: dict[str, Any] | None = None) -> Path:
    """LTX-Video in small: conv autoencoder 32 × 32 × 8, T5, about half a megabyte; a folder that LTXPipeline loads."""
    from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXPipeline
    from transformers import T5Config, T5EncoderModel

    tokenizer = _tokenizer()
    torch.manual_seed(1)
    autoencoder = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8,) * 4,
        decoder_block_out_channels=(8,) * 4,
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 5,
    )
    autoencoder.latents_mean.copy_(torch.linspace(-0.2, 0.2, 8))
    autoencoder.latents_std.copy_(torch.linspace(0.8, 1.2, 8))
    text_encoder = T5EncoderModel(
        T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    )
    pipeline = LTXPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**(scheduler or {})),
        vae=autoencoder.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        transformer=tiny_transformer(8, 16),
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def save_tiny_diorama(folder: Path) -> Path:
    """The bundled model in small: our autoencoder with random components, MiniLM from its package."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder

    torch.manual_seed(2)
    autoencoder = PatchVideoAutoencoder(latent_channels=8)
    autoencoder.latents_mean.fill_(0.1)
    autoencoder.latents_std.fill_(0.5)
    components = torch.linalg.qr(torch.randn(autoencoder.components.shape[1], 8)).Q.T
    autoencoder.components.data.copy_(components)
    autoencoder.save_pretrained(folder / "vae", safe_serialization=True)
    tiny_transformer(8, 384).save_pretrained(folder / "transformer", safe_serialization=True)
    FlowMatchEulerDiscreteScheduler(shift=2.0).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text('{"_class_name": "LTXPipeline"}')
    return folder


def card_for(folder: Path, model: str) -> ModelCard:
    """The committed card of a model, with the tiny folder as its source."""
    card = load_catalogue()[model]
    data = card.model_dump() | {"source": {"kind": "bundled", "path": str(folder)}}
    return ModelCard.model_validate(data)


def tiny_catalogue(folder: Path, model: str) -> Catalogue:
    return Catalogue([card_for(folder, model)])


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
