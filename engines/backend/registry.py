"""Models by catalogue id, loaded once and kept. Nothing is ever downloaded here."""

from __future__ import annotations

import threading

import torch

from engines.backend.catalogue import Catalogue, load_catalogue
from engines.backend.device import select_device
from engines.backend.families.base import Family
from engines.backend.loading import load_family
from engines.backend.model_files import locate
from engines.backend.precision import compute_dtype


class ModelRegistry:
    """The models of one process.

    Args:
        catalogue: Default: the committed one.
        device: Default: the best there is.
        dtype: Of the transformers. Default: what the precision probe says.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.catalogue = catalogue if catalogue is not None else load_catalogue()
        self.device = device if device is not None else select_device()
        self.dtype = dtype if dtype is not None else compute_dtype(self.device)
        self._loaded: dict[str, Family] = {}
        self._lock = threading.Lock()

    def load(self, model: str) -> Family:
        """The model, loaded at the first call.

        Raises: InvalidRequest for an unknown id, NotAvailable if its files are not on this machine.
        """
        card = self.catalogue.card(model)
        with self._lock:
            if model not in self._loaded:
                self._loaded[model] = load_family(card, locate(card), self.device, self.dtype)
            return self._loaded[model]
