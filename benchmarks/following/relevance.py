"""What each layer of a full control branch is worth: python -m benchmarks.following.relevance --branch FOLDER

RelaCtrl's relevance score: with a layer's residual left out, how much worse do clips follow the edges, and how much
further are they from true renders (Diorama-FD, Judge A)? Ranks are added; the layers of the light branch are those
with the highest sums. Judge B is not asked: it measures the result.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.following.arms import edges_of, followed
from benchmarks.held_out.rendering import FIRST_SEED, bundled
from engines.conditioning.control.branch import ControlBranch
from engines.diorama.judge import JUDGES_FOLDER
from engines.diorama.theatre.draw import render_scene
from engines.diorama.theatre.random_scene import held_out_scenes
from engines.metrics.adherence import load_judge
from engines.metrics.edges import edge_f1
from engines.metrics.frechet import diorama_fd

CLIPS, SEED = 16, FIRST_SEED + 22


def relevance(branch: ControlBranch, clips: int) -> list[dict[str, float]]:
    """For each layer its number, what edges and distance lose without it, and the sum of both ranks (0 is least)."""
    specs, judge = held_out_scenes("one thing", clips, SEED), load_judge(JUDGES_FOLDER / "a")
    truths = [render_scene(spec).frames for spec in specs]

    def measured(without: tuple[int, ...]) -> tuple[float, float]:
        made = [followed(spec, "edges", branch, without) for spec in specs]
        f1 = [edge_f1(edges_of(one), edges_of(true)) for one, true in zip(made, truths, strict=True)]
        return float(np.mean(f1)), diorama_fd(judge, made, truths)

    whole = measured(())
    without = [measured((layer,)) for layer in branch.layers]
    lost = np.array([[whole[0] - f1, distance - whole[1]] for f1, distance in without])
    ranks = lost.argsort(0).argsort(0).sum(1)
    return [
        {"layer": layer, "edge_f1_lost": edge, "distance_gained": distance, "relevance": int(rank)}
        for layer, (edge, distance), rank in zip(branch.layers, lost.tolist(), ranks, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.following.relevance", description=__doc__)
    parser.add_argument("--branch", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=CLIPS)
    arguments = parser.parse_args()
    branch = ControlBranch.from_pretrained(arguments.branch, use_safetensors=True).to(bundled().dtype).eval()
    for row in sorted(relevance(branch, arguments.clips), key=lambda one: -one["relevance"]):
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()))


if __name__ == "__main__":
    main()
