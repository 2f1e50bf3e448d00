"""Image encoders beside some image-to-video models: a picture to tokens that the transformer attends to.

Shapes: picture uint8 [H, W, 3]; tokens float32 [1, P, E].
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.backend.families.base import Frames


class ImageEncoder:
    """A transformers vision model with its preparation of pictures.

    Args:
        prepare: An image processor.
        model: CLIPVisionModel or SiglipVisionModel.
        layer: Which hidden state is taken, from the end: Wan 2.1 was trained on CLIP's last but one. None takes the
            last hidden state after its norm, as HunyuanVideo 1.5 does with SigLIP.
    """

    def __init__(self, prepare: Any, model: Any, layer: int | None) -> None:
        self._prepare = prepare
        self.model = model.eval()
        self._layer = layer

    @torch.inference_mode()
    def encode(self, picture: Frames) -> Tensor:
        from PIL import Image

        inputs = self._prepare(images=Image.fromarray(picture), return_tensors="pt")
        pixels = inputs["pixel_values"].to(self.model.device, self.model.dtype)
        answer = self.model(pixel_values=pixels, output_hidden_states=self._layer is not None)
        tokens: Tensor = answer.last_hidden_state if self._layer is None else answer.hidden_states[self._layer]
        return tokens.float()


def load_clip(folder: Path, device: torch.device, dtype: torch.dtype) -> ImageEncoder:
    """Wan 2.1's, from image_encoder/ and image_processor/."""
    from transformers import CLIPImageProcessor, CLIPVisionModel

    model: Any = CLIPVisionModel.from_pretrained(folder / "image_encoder", **_local(dtype))
    prepare = CLIPImageProcessor.from_pretrained(folder / "image_processor", local_files_only=True)
    return ImageEncoder(prepare, model.to(device), layer=-2)


def load_siglip(folder: Path, device: torch.device, dtype: torch.dtype) -> ImageEncoder:
    """HunyuanVideo 1.5's, from image_encoder/ and feature_extractor/."""
    from transformers import SiglipImageProcessor, SiglipVisionModel

    model: Any = SiglipVisionModel.from_pretrained(folder / "image_encoder", **_local(dtype))
    prepare = SiglipImageProcessor.from_pretrained(folder / "feature_extractor", local_files_only=True)
    return ImageEncoder(prepare, model.to(device), layer=None)


def _local(dtype: torch.dtype) -> dict[str, Any]:
    return {"local_files_only": True, "use_safetensors": True, "dtype": dtype}
