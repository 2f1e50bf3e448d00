"""What a training run needs before its first step: the tokenizer's linear code and the latent caches."""

from __future__ import annotations

import torch

from engines.backend.autoencoders.patch_video import PatchVideoAutoencoder
from engines.training.cache_rows import CachePlan, with_what_there_is
from engines.training.latent_cache import build_cache
from engines.training.linear_code import BlockMoments, fit, gather_moments, measure_statistics
from engines.training.run import Run

STATISTICS_CLIPS = 400


def _moments(seed: int, clips: int, pictures: int) -> BlockMoments:
    torch.set_num_threads(1)
    return gather_moments(seed, clips, pictures)


def prepare(run: Run) -> None:
    """Fits the code where the run has none, and builds the caches that are missing."""
    folder = run.folder / "vae"
    processes, plan = int(run.config["processes"]), run.config["tokenizer"]
    if not (folder / "config.json").exists():
        seeds = plan["seeds"]
        share = (plan["clips"] // len(seeds), plan["pictures"] // len(seeds))
        with torch.multiprocessing.get_context("spawn").Pool(min(processes, len(seeds))) as pool:
            parts = pool.starmap(_moments, [(seed, *share) for seed in seeds])
        vae = fit(parts, plan["channels"])
        measure_statistics(vae, seeds[0], STATISTICS_CLIPS)
        vae.save_pretrained(folder)
    vae = PatchVideoAutoencoder.from_pretrained(folder)
    for name, cache in run.config["caches"].items():
        plan = with_what_there_is(name, CachePlan(**{**cache, "keyframes": tuple(cache.get("keyframes", ()))}))
        build_cache(run.folder / "cache" / name, vae, plan, processes)
