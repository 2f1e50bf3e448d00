"""Models by catalogue id, loaded once and kept. Nothing is ever downloaded here."""

from __future__ import annotations

import threading

import torch

from engines.backend.catalogue import Catalogue, load_catalogue
from engines.backend.device import select_device
from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.backend.memory.budget import memory_budget
from engines.backend.memory.weights import checkpoint_weights
from engines.backend.model_files import locate
from engines.backend.precision import compute_dtype


class ModelRegistry:
    """The models of one process.

    Args:
        catalogue: Default: the committed one.
        device: Default: the best there is.
        dtype: Of the transformers. Default: what the precision probe says.

    Attributes:
        budget: Bytes that they may take. Default: engines.backend.memory.budget.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        budget: int | None = None,
    ) -> None:
        self.catalogue = catalogue if catalogue is not None else load_catalogue()
        self.device = device if device is not None else select_device()
        self.dtype = dtype if dtype is not None else compute_dtype(self.device)
        self.budget = budget if budget is not None else memory_budget(self.device)
        self._loaded: dict[str, Family] = {}
        self._weight_bytes: dict[str, int] = {}
        self._lock = threading.Lock()

    def load(self, model: str) -> Family:
        """The model, loaded at the first call. Models from before stay on the device if all fit half of the budget.

        Raises: InvalidRequest for an unknown id, NotAvailable if its files are not on this machine.
        """
        card = self.catalogue.card(model)
        with self._lock:
            if model not in self._loaded:
                folder = locate(card)
                self._loaded[model] = load_family(card, folder, self.device, self.dtype)
                weights = checkpoint_weights(folder)
                self._weight_bytes[model] = weights.of(*weights.parts) * self.dtype.itemsize
            if sum(self._weight_bytes.values()) > self.budget / 2:
                for name, other in self._loaded.items():
                    if name != model:
                        other.residence.release()
            return self._loaded[model]
