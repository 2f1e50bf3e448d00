"""What all ways to make a film share: the model, the film's tokens, what is said in each part, and how it is sampled.

Shape legend: S slots of the film, P = h·w cells of a slot, N = S·P tokens, D channels of a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engines.backend.families.base import Family, LatentGeometry, PromptEmbedding
from engines.backend.families.guided import guided_velocity
from engines.backend.step_cache.kinds import StepCache
from engines.long_video.chunk_plan import ChunkPlan
from engines.sampling.guidance import Guidance
from engines.sampling.loop import Velocity
from engines.sampling.noise import INITIAL, gaussian_noise
from engines.sampling.schedules import make_schedule
from engines.sampling.site import Site


@dataclass(frozen=True)
class Progress:
    """A step that is done.

    Attributes:
        done, total: Steps of the whole film.
        chunk: Which chunk it belongs to; None where all go side by side.
        estimate: Tokens of the film or of the chunk as far as they can be guessed now, float32 [1, ·, D].
    """

    done: int
    total: int
    chunk: int | None
    estimate: Tensor


Guided = Guidance[PromptEmbedding]


@dataclass
class Film:
    """One film to make.

    Attributes:
        geometry: Of the whole film, filled-up frames included.
        window_slots: How many the model was made for.
        guidance_of: What is said in the slots first … stop − 1.
        solver: Its name. schedule: Its name.
        step_cache: What is reused from step to step, where a chunk goes through all of them.
        given: Latents of the slots that the film begins with, float32 [1, C, s, h, w]; fewer than a window has.
        keyframes: Number of a frame → its latents as a picture, [1, C, 1, h, w]; only where chunks are made one after
            another.
        on_progress: Called after every step; what it raises (Cancelled) ends the run.
        at_border: Called when another chunk is whole on the disk; may raise Paused.
        evaluations: Model calls so far, guidance included.
    """

    family: Family
    geometry: LatentGeometry
    window_slots: int
    plan: ChunkPlan
    guidance_of: Callable[[range], Guided]
    steps: int
    seed: int
    solver: str = "euler"
    schedule: str = "model"
    step_cache: StepCache = "off"
    given: Tensor | None = None
    keyframes: Mapping[int, Tensor] = field(default_factory=dict)
    on_progress: Callable[[Progress], None] = lambda progress: None
    at_border: Callable[[], None] = lambda: None
    evaluations: int = field(default=0, init=False)

    @property
    def cells(self) -> int:
        """P."""
        return self.geometry.latent_height * self.geometry.latent_width

    def tokens_of(self, slots: range) -> slice:
        """Where the slots' tokens lie among the film's."""
        return slice(slots.start * self.cells, slots.stop * self.cells)

    def geometry_of(self, slots: range) -> LatentGeometry:
        """Of a window; a window that begins inside the film has TIME − 1 frames more than a clip."""
        time = self.family.card.facts.temporal_compression
        frames = (len(slots) - 1) * time + 1 + (time - 1 if slots.start else 0)
        return replace(self.geometry, frames=frames, latent_frames=len(slots))

    def coordinates(self, slots: range) -> Tensor:
        """Where the window's tokens stand in the film, float32 [1, 3, N]."""
        until = replace(self.geometry, latent_frames=slots.stop)
        return self.family.coordinates(until)[:, :, slots.start * self.cells :]

    def places(self, slots: range) -> Tensor:
        """Where a window's tokens stand for the model, in what `family.turned` takes, [1, 3, N]."""
        # Only LTX is told where its tokens stand; the others count from the beginning of every window.
        if self.family.card.family == "ltx":
            return self.coordinates(slots)
        return self.family.places(self.geometry_of(slots))

    def place_of(self, frame: int) -> Tensor:
        """Where the tokens of a keyframe stand, float32 [1, 3, P]."""
        place = self.coordinates(range(1)).clone()
        place[:, 0] = frame / self.geometry.fps
        return place

    def velocity(self, slots: range, index: int, further: Tensor | None = None) -> Velocity:
        """The model's answer for a window, counted.

        Args:
            index: Site.window.
            further: Where tokens beside the window's stand, [1, 3, K].
        """
        places = self.coordinates(slots)
        places = places if further is None else torch.cat([places, further.to(places)], dim=2)
        guided = guided_velocity(self.family, self.geometry_of(slots), self.guidance_of(slots), places)

        def counted(x: Tensor, sigmas: Tensor, at: Site) -> Tensor:
            before = guided.evaluations
            answer = guided(x, sigmas, replace(at, window=index))
            self.evaluations += guided.evaluations - before
            return answer

        return counted

    def levels(self, slots: int) -> Tensor:
        """The falling schedule for windows of so many slots, float32 [steps + 1]."""
        return self.levels_of(self.steps, slots)

    def levels_of(self, steps: int, slots: int) -> Tensor:
        """The same with another number of steps."""
        return make_schedule(self.schedule, steps, slots * self.cells, dict(self.family.scheduler_config))

    def noise(self, slots: int, index: int = 0) -> Tensor:
        """Of chunk or slot `index`, float32 [1, slots·P, D]. A chunk's is no other seed's."""
        shape = (1, slots * self.cells, self.family.channels)
        return gaussian_noise(shape, self.seed, INITIAL - index).to(self.family.device)

    def holding_given(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens from the first slot on, [1, n, D], with what is given in them; and which those are, bool [n]."""
        held = torch.zeros(tokens.shape[1], dtype=torch.bool, device=tokens.device)
        if self.given is None:
            return tokens, held
        known = self.tokens(self.given)
        held[: known.shape[1]] = True
        return torch.cat([known, tokens[:, known.shape[1] :]], dim=1), held

    def latents(self, tokens: Tensor) -> Tensor:
        """Tokens of whole slots [1, s·P, D] as latents [1, C, s, h, w]."""
        slots = tokens.shape[1] // self.cells
        return self.family.unpack(tokens, replace(self.geometry, latent_frames=slots))

    def tokens(self, latents: Tensor) -> Tensor:
        """The inverse."""
        geometry = replace(self.geometry, latent_frames=latents.shape[2])
        return self.family.pack(latents.to(self.family.device), geometry).values
