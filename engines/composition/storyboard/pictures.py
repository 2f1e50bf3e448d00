"""Pictures that scenes begin and end with, and in which frame of a take each stands. No torch here."""

from __future__ import annotations

from engines.composition.storyboard.request import StoryboardRequest
from engines.composition.storyboard.takes import FilmPlan, Take
from engines.errors import InvalidRequest
from engines.image_animation.picture import open_picture


def moments_of(take: Take) -> dict[int, int]:
    """Frame of the take → the number of the picture that stands there, from 1 on."""
    found = {}
    for scene, heard in take.scenes:
        if scene.begins_with:
            found[heard.start] = scene.begins_with
        if scene.ends_with:
            found[heard.stop - 1] = scene.ends_with
    return found


def check_pictures(request: StoryboardRequest, plan: FilmPlan) -> list[str]:
    """Warnings. Raises: InvalidRequest (field scenes, goes_on or pictures) for pictures that are not there, cannot be
    reached or cannot be read.
    """
    used = set[int]()
    for number, scene in enumerate(request.scenes, 1):
        for wanted in (scene.begins_with, scene.ends_with):
            if wanted > len(request.pictures):
                raise InvalidRequest(
                    f"Scene {number} names picture {wanted}; there are {len(request.pictures)}.",
                    "Bring the picture, or name another one.",
                    "scenes",
                )
            used |= {wanted} - {0}
        if scene.begins_with and scene.ends_with and round(scene.seconds * plan.fps) < 2:
            raise InvalidRequest(
                f"Scene {number} is one frame long and cannot begin with one picture and end with another.",
                f"Give it at least {2 / plan.fps:.2f} seconds.",
                "scenes",
            )
    for take in plan.takes:
        if take.chunks.order != "forward" and any(moments_of(take)):  # the first frame is 0
            raise InvalidRequest(
                "Within a take whose parts are made side by side no picture can be reached on the way.",
                "Choose “chained” for how a take goes on, or name pictures at the beginning of takes only.",
                "goes_on",
            )
    for path in request.pictures:
        open_picture(path, "pictures")
    idle = sorted(set(range(1, len(request.pictures) + 1)) - used)
    return [f"No scene names picture {', '.join(map(str, idle))}."] if idle else []
