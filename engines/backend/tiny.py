"""Tiny random checkpoints of the real classes, in the folders that the real ones come in: for trying a path out.

    python -m engines.backend.tiny wan folder/

What they make is noise; that it is made shows that loading, prompts, sampling and decoding fit together. About half a
megabyte each (HunyuanVideo: 18 MB).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

from engines.backend.catalogue import ModelCard, load_catalogue

WanGiven = Literal["nothing", "channels", "channels and picture"]

CAPTIONS = (
    "a red fox bounces on a green field", "on the beach, an apple spins", "a penguin slides left in the snow",
    "a rocket circles at night", "a whale sways under water", "a paper doll in a blue dress waves in a room",
)  # fmt: skip


def card_for(folder: Path, model: str) -> ModelCard:
    """The committed card of a model, with such a folder as its source."""
    card = load_catalogue()[model]
    return ModelCard.model_validate(card.model_dump() | {"source": {"kind": "bundled", "path": str(folder)}})


def save_tiny_ltx(folder: Path, scheduler: dict[str, Any] | None = None) -> Path:
    """LTX-Video in small: autoencoder 32 × 32 × 8, T5; a folder that LTXPipeline loads."""
    from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXPipeline

    tokenizer = train_tokenizer()
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
    pipeline = LTXPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**(scheduler or {})),
        vae=autoencoder.eval(),
        text_encoder=_t5(len(tokenizer)),
        tokenizer=tokenizer,
        transformer=_ltx_transformer(8, 16),
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
    _ltx_transformer(8, 384).save_pretrained(folder / "transformer", safe_serialization=True)
    FlowMatchEulerDiscreteScheduler(shift=2.0).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text('{"_class_name": "LTXPipeline"}')
    return folder


def save_tiny_wan(folder: Path, boundary: float | None = None, given: WanGiven = "nothing") -> Path:
    """Wan in small: autoencoder 8 × 8 × 4, UMT5, UniPC with flow sigmas; a folder that WanPipeline loads.

    Args:
        boundary: σ below which a second expert speaks, as in Wan 2.2; None for one transformer.
        given: How a first frame is given, if at all: as channels (Wan 2.2), or also as tokens of CLIP (Wan 2.1). Then
            it is a folder that WanImageToVideoPipeline loads.
    """
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = train_tokenizer()
    torch.manual_seed(3)
    autoencoder = AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1] * 4, num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    encoder = UMT5EncoderModel(
        UMT5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    )
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    parts: dict[str, Any] = {
        "tokenizer": tokenizer, "text_encoder": encoder.eval(), "vae": autoencoder.eval(), "scheduler": scheduler,
        "transformer": _wan_transformer(4, given),
        "transformer_2": _wan_transformer(5, given) if boundary is not None else None, "boundary_ratio": boundary,
    }  # fmt: skip
    if given == "channels and picture":
        parts |= _clip()
    pipeline: Any = (WanPipeline if given == "nothing" else WanImageToVideoPipeline)(**parts)
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def save_tiny_wan_vace(folder: Path) -> Path:
    """Wan VACE in small: a folder that WanVACEPipeline loads."""
    from diffusers import WanPipeline, WanVACEPipeline, WanVACETransformer3DModel

    plain: Any = WanPipeline.from_pretrained(save_tiny_wan(folder), local_files_only=True)
    torch.manual_seed(12)
    transformer = WanVACETransformer3DModel(
        num_attention_heads=2, attention_head_dim=12, in_channels=16, out_channels=16, text_dim=16, freq_dim=16,
        ffn_dim=32, num_layers=2, rope_max_seq_len=64, vace_layers=[0], vace_in_channels=96,
    ).eval()  # fmt: skip
    pipeline: Any = WanVACEPipeline(
        tokenizer=plain.tokenizer, text_encoder=plain.text_encoder, vae=plain.vae, scheduler=plain.scheduler,
        transformer=transformer,
    )  # fmt: skip
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def save_tiny_cogvideox(folder: Path, rotary: bool = True, given: bool = False) -> Path:
    """CogVideoX in small: autoencoder 8 × 8 × 4, T5, v-prediction; a folder that CogVideoXPipeline loads.

    Args:
        rotary: Positions as in the 5B checkpoints; False as in the 2B one.
        given: Whether it takes a first frame as channels: a folder that CogVideoXImageToVideoPipeline loads.
    """
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXImageToVideoPipeline,
        CogVideoXPipeline,
    )

    tokenizer = train_tokenizer()
    torch.manual_seed(6)
    autoencoder = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8,) * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    scheduler = CogVideoXDDIMScheduler(
        beta_start=0.00085, beta_end=0.0120, beta_schedule="scaled_linear", prediction_type="v_prediction",
        clip_sample=False, set_alpha_to_one=True, timestep_spacing="trailing", rescale_betas_zero_snr=True,
        snr_shift_scale=3.0,
    )  # fmt: skip
    pipeline: Any = (CogVideoXImageToVideoPipeline if given else CogVideoXPipeline)(
        tokenizer=tokenizer,
        text_encoder=_t5(len(tokenizer)),
        vae=autoencoder.eval(),
        scheduler=scheduler,
        transformer=_cogvideox_transformer(rotary, 8 if given else 4),
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def save_tiny_hunyuan_video(folder: Path, given: bool = False) -> Path:
    """HunyuanVideo 1.5 in small (18 MB, most of it a projection of fixed width): autoencoder 16 × 16 × 4, Qwen2.5-VL's
    text model and ByT5; a folder that HunyuanVideo15Pipeline loads.

    Args:
        given: With SigLIP for a first frame: a folder that HunyuanVideo15ImageToVideoPipeline loads.
    """
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        ClassifierFreeGuidance,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideo15ImageToVideoPipeline,
        HunyuanVideo15Pipeline,
    )
    from transformers import ByT5Tokenizer, Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    tokenizer = train_tokenizer()
    # The pipeline cuts the first 108 tokens, its instruction; said twice it is longer than that in our few words too.
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message['content'] }} {% if message['role'] == 'system' %}"
        "{{ message['content'] }} {% endif %}{% endfor %}"
    )
    torch.manual_seed(8)
    autoencoder = AutoencoderKLHunyuanVideo15(
        latent_channels=4, block_out_channels=(8,) * 5, layers_per_block=1, downsample_match_channel=False,
        upsample_match_channel=False,
    )  # fmt: skip
    language = Qwen2_5_VLTextModel(
        Qwen2_5_VLTextConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
            num_key_value_heads=2,
            rope_parameters={"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]},
        )
    )  # fmt: skip
    letters = ByT5Tokenizer()
    pipeline: Any = (HunyuanVideo15ImageToVideoPipeline if given else HunyuanVideo15Pipeline)(
        **(_siglip() if given else {}),
        text_encoder=language.eval(),
        tokenizer=tokenizer,
        transformer=_hunyuan_video_transformer(),
        vae=autoencoder.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
        text_encoder_2=_t5(len(letters)),
        tokenizer_2=letters,
        guider=ClassifierFreeGuidance(),
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def _ltx_transformer(channels: int, caption_channels: int) -> Any:
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


def _wan_transformer(seed: int, given: WanGiven) -> Any:
    from diffusers import WanTransformer3DModel

    torch.manual_seed(seed)
    picture = {"image_dim": 16, "added_kv_proj_dim": 24} if given == "channels and picture" else {}
    return WanTransformer3DModel(
        num_attention_heads=2, attention_head_dim=12, in_channels=16 if given == "nothing" else 36, out_channels=16,
        text_dim=16, freq_dim=16, ffn_dim=32, num_layers=2, rope_max_seq_len=64, **picture,
    ).eval()  # fmt: skip


def _cogvideox_transformer(rotary: bool, channels: int) -> Any:
    from diffusers import CogVideoXTransformer3DModel

    torch.manual_seed(7)
    return CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=channels, out_channels=4, time_embed_dim=8,
        text_embed_dim=16, num_layers=2, sample_width=12, sample_height=8, sample_frames=9, patch_size=2,
        temporal_compression_ratio=4, max_text_seq_length=226, use_rotary_positional_embeddings=rotary,
    ).eval()  # fmt: skip


def _hunyuan_video_transformer() -> Any:
    from diffusers import HunyuanVideo15Transformer3DModel

    torch.manual_seed(9)
    return HunyuanVideo15Transformer3DModel(
        in_channels=9, out_channels=4, num_attention_heads=2, attention_head_dim=12, num_layers=2, num_refiner_layers=1,
        mlp_ratio=2.0, text_embed_dim=16, text_embed_2_dim=16, image_embed_dim=16, rope_axes_dim=(4, 4, 4),
        target_size=64, task_type="t2v",
    ).eval()  # fmt: skip


def _clip() -> dict[str, Any]:
    """image_encoder and image_processor as WanImageToVideoPipeline takes them."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    torch.manual_seed(10)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    model = CLIPVisionModel(CLIPVisionConfig(image_size=32, patch_size=16, **sizes)).eval()
    square = {"height": 32, "width": 32}
    return {"image_encoder": model, "image_processor": CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=square)}


def _siglip() -> dict[str, Any]:
    """image_encoder and feature_extractor as HunyuanVideo15ImageToVideoPipeline takes them."""
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    torch.manual_seed(11)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = SiglipVisionModel(SiglipVisionConfig(image_size=32, patch_size=16, **sizes)).eval()
    return {"image_encoder": model, "feature_extractor": SiglipImageProcessor(size={"height": 32, "width": 32})}


def _t5(words: int) -> Any:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(vocab_size=words, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    return T5EncoderModel(config).eval()


def train_tokenizer(captions: tuple[str, ...] = CAPTIONS) -> Any:
    """A fast tokenizer that knows the words of the captions and ends a prompt as T5's does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(captions, trainers.WordLevelTrainer(special_tokens=["<pad>", "</s>", "<unk>"]))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


KINDS: dict[str, Callable[[Path], Path]] = {
    "ltx": save_tiny_ltx,
    "diorama": save_tiny_diorama,
    "wan": save_tiny_wan,
    "wan22": lambda folder: save_tiny_wan(folder, boundary=0.875),
    "wan_vace": save_tiny_wan_vace,
    "wan_i2v": lambda folder: save_tiny_wan(folder, given="channels and picture"),
    "cogvideox": save_tiny_cogvideox,
    "hunyuan_video": save_tiny_hunyuan_video,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engines.backend.tiny", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    print(KINDS[arguments.kind](arguments.folder))


if __name__ == "__main__":
    main()
