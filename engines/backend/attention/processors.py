"""Attention of each family's layers, step for step as in diffusers' own processors, with hooks around the attention.

Shape legend: B batch, N tokens, D width, A heads, E = D / A; L prompt tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engines.backend.attention.calls import AttentionInputs, Kind
from engines.backend.attention.positions import turned_in_pairs
from engines.backend.attention.watch import Watch

WAN_TEXT_TOKENS = 512  # what stands before them is the picture's


class _Processor:
    """Sits in one attention layer.

    Args:
        watch: Knows the hooks and where in a run the model is.
        layer: Index of the block.
    """

    # diffusers' set_attention_backend looks for these.
    _attention_backend = None
    _parallel_config = None

    def __init__(self, watch: Watch, layer: int) -> None:
        self.watch, self.layer = watch, layer

    def attended(
        self, kind: Kind, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, text: int = 0,
        bare_key: Tensor | None = None, bare_query: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """[B, N, D] from q, k, v [B, N, A, E]. text: prompt tokens in the sequence, before the video if negative."""
        inputs = AttentionInputs(query, key, value, mask, bare_key, bare_query)
        answer = self.watch.through(self.layer, kind, inputs, text)
        return answer.flatten(2, 3).to(query.dtype)


class LTXProcessor(_Processor):
    """Positions are turned over the whole width, before it is divided into heads."""

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, image_rotary_emb: Any = None,
    ) -> Tensor:  # fmt: skip
        from diffusers.models.transformers.transformer_ltx import apply_rotary_emb

        given = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        if attention_mask is not None:
            attention_mask = attn.prepare_attention_mask(attention_mask, given.shape[1], len(given))
            attention_mask = attention_mask.view(len(given), attn.heads, -1, attention_mask.shape[-1])
        query, key, value = attn.norm_q(attn.to_q(hidden_states)), attn.norm_k(attn.to_k(given)), attn.to_v(given)
        bare_query, bare_key = (part.unflatten(2, (attn.heads, -1)) for part in (query, key))
        if image_rotary_emb is not None:
            query, key = (apply_rotary_emb(part, image_rotary_emb) for part in (query, key))
        query, key, value = (part.unflatten(2, (attn.heads, -1)) for part in (query, key, value))
        kind: Kind = "self" if encoder_hidden_states is None else "cross"
        answer = self.attended(kind, query, key, value, attention_mask, bare_key=bare_key, bare_query=bare_query)
        return _projected(attn, answer)


class WanProcessor(_Processor):
    """Of Wan 2.1 with a picture, the first prompt tokens are the picture's, with keys and values of their own."""

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, rotary_emb: Any = None,
    ) -> Tensor:  # fmt: skip
        given, picture = hidden_states if encoder_hidden_states is None else encoder_hidden_states, None
        if attn.add_k_proj is not None and encoder_hidden_states is not None:
            picture, given = given[:, : given.shape[1] - WAN_TEXT_TOKENS], given[:, given.shape[1] - WAN_TEXT_TOKENS :]
        query, key, value = attn.norm_q(attn.to_q(hidden_states)), attn.norm_k(attn.to_k(given)), attn.to_v(given)
        query, key, value = (part.unflatten(2, (attn.heads, -1)) for part in (query, key, value))
        bare_query, bare_key = query, key
        if rotary_emb is not None:
            cosine, sine = rotary_emb[0][..., 0::2], rotary_emb[1][..., 1::2]  # each angle stands there twice
            query, key = (turned_in_pairs(part, cosine, sine) for part in (query, key))
        kind: Kind = "self" if encoder_hidden_states is None else "cross"
        answer = self.attended(kind, query, key, value, attention_mask, bare_key=bare_key, bare_query=bare_query)
        if picture is not None:
            key, value = attn.norm_added_k(attn.add_k_proj(picture)), attn.add_v_proj(picture)
            key, value = (part.unflatten(2, (attn.heads, -1)) for part in (key, value))
            answer = answer + self.attended("picture", query, key, value, None)
        return _projected(attn, answer)


class CogVideoXProcessor(_Processor):
    """The prompt stands before the video in one sequence; only the video's tokens have positions."""

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, attention_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        from diffusers.models.embeddings import apply_rotary_emb

        text = encoder_hidden_states.shape[1]
        both = torch.cat([encoder_hidden_states, hidden_states], dim=1)
        query, key, value = (
            project(both).unflatten(2, (attn.heads, -1)) for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        query = query if attn.norm_q is None else attn.norm_q(query)
        key = key if attn.norm_k is None else attn.norm_k(key)
        if image_rotary_emb is not None:
            query, key = (
                torch.cat([part[:, :text], apply_rotary_emb(part[:, text:], image_rotary_emb, sequence_dim=1)], dim=1)
                for part in (query, key)
            )
        answer = _projected(attn, self.attended("joint", query, key, value, attention_mask, -text))
        return answer[:, text:], answer[:, :text]


class HunyuanVideoProcessor(_Processor):
    """The prompt stands behind the video, with projections of its own; what is padding neither asks nor answers."""

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, image_rotary_emb: Any = None,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        from diffusers.models.embeddings import apply_rotary_emb

        query, key, value = (
            project(hidden_states).unflatten(2, (attn.heads, -1)) for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        if image_rotary_emb is not None:
            query, key = (apply_rotary_emb(part, image_rotary_emb, sequence_dim=1) for part in (query, key))
        text = 0
        if encoder_hidden_states is not None:
            text = encoder_hidden_states.shape[1]
            further = [
                project(encoder_hidden_states).unflatten(2, (attn.heads, -1))
                for project in (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
            ]
            further[0] = further[0] if attn.norm_added_q is None else attn.norm_added_q(further[0])
            further[1] = further[1] if attn.norm_added_k is None else attn.norm_added_k(further[1])
            query, key, value = (torch.cat(both, dim=1) for both in zip((query, key, value), further, strict=True))
        answer = self.attended("joint", query, key, value, _real_tokens(attention_mask, query.shape[1]), text)
        if encoder_hidden_states is None:
            return answer, None
        video, said = answer[:, : answer.shape[1] - text], answer[:, answer.shape[1] - text :]
        return _projected(attn, video), attn.to_add_out(said)


def _projected(attn: Any, answer: Tensor) -> Tensor:
    projected: Tensor = attn.to_out[1](attn.to_out[0](answer))
    return projected


def _real_tokens(mask: Tensor | None, tokens: int) -> Tensor | None:
    """Mask of the prompt [B, L] → bool [B, 1, N, N]: both the asking and the answering token are real."""
    if mask is None:
        return None
    real = torch.nn.functional.pad(mask, (tokens - mask.shape[1], 0), value=True).bool()
    return real[:, None, None, :] & real[:, None, :, None]


PROCESSORS: dict[str, type[_Processor]] = {
    "ltx": LTXProcessor, "wan": WanProcessor, "cogvideox": CogVideoXProcessor, "hunyuan_video": HunyuanVideoProcessor,
}  # fmt: skip
