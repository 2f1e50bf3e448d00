"""Pyramid attention broadcast (arXiv:2408.12588): attention's answer serves several steps, the prompt's most.

diffusers has it too, but keeps one answer for each layer whichever branch of the guidance asks: asked one after the
other, branches would get each other's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from diffusers.hooks import HookRegistry, ModelHook
from diffusers.hooks.hooks import BaseState, StateManager
from torch import nn

HOOK = "framewright_attention_broadcast"
_ATTENTION = re.compile(r".*blocks\.\d+\.attn(\d?)")


@dataclass(frozen=True)
class Broadcast:
    """Attention is computed every so many steps while σ lies between low and high.

    Attributes:
        self_every: Attention among the video's tokens (in joint blocks: all attention).
        cross_every: Attention to the prompt.
    """

    self_every: int
    cross_every: int
    low: float
    high: float

    def enable(self, model: nn.Module) -> None:
        for name, module in model.named_modules():
            found = _ATTENTION.fullmatch(name)
            if found:
                every = self.cross_every if found[1] == "2" else self.self_every
                hook = _BroadcastHook(every, self.low, self.high)
                HookRegistry.check_if_exists_or_initialize(module).register_hook(hook, HOOK)
        HookRegistry.check_if_exists_or_initialize(model).invalidate_child_registries_cache()

    @staticmethod
    def disable(model: nn.Module) -> None:
        registry = HookRegistry.check_if_exists_or_initialize(model)
        registry.remove_hook(HOOK, recurse=True)
        registry.invalidate_child_registries_cache()


class _Answer(BaseState):
    def __init__(self) -> None:
        self.kept: Any = None
        self.calls = 0

    def reset(self) -> None:
        self.kept, self.calls = None, 0


class _BroadcastHook(ModelHook):
    _is_stateful = True

    def __init__(self, every: int, low: float, high: float) -> None:
        super().__init__()
        self.every, self.low, self.high = every, low, high
        self.state_manager = StateManager(_Answer, (), {})

    def new_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        answer = self.state_manager.get_state()
        within = self.low < self.state_manager.context.sigma < self.high
        if answer.kept is None or not within or answer.calls % self.every == 0:
            answer.kept = self.fn_ref.original_forward(*args, **kwargs)
        answer.calls += 1
        return answer.kept

    def reset_state(self, module: nn.Module) -> nn.Module:
        self.state_manager.reset()
        return module
