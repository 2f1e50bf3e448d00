"""What is said of a scene is true: flow leads where things go, masks add up, near hides far, points stay.

Shape legend: T frames, H rows, W columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.diorama.theatre.draw import RenderedScene, render_scene, twin
from engines.diorama.theatre.spec import Band, Camera, Figure, Garment, Portrait, Region, SceneSpec, Thing

CLOTH = Garment(kind="dress", pattern="dots", colour="blue", second="yellow")
MOVING = Camera(pan=(0.12, 0.05), zoom=1.15, roll=8.0, travel=0.4)
SCENES = {
    "thing": SceneSpec(scene="beach", actors=(Thing(noun="fox", motion="spins", seed=4),)),
    "growing": SceneSpec(scene="field", actors=(Thing(noun="apple", motion="grows", seed=1),)),
    "two": SceneSpec(
        scene="snow",
        actors=(Thing(noun="pig", motion="circles", depth=2.5, seed=2), Thing(noun="gift", depth=5, seed=3)),
    ),
    "figure": SceneSpec(scene="room", actors=(Figure(action="dances", garment=CLOTH, seed=5),)),
    "face": SceneSpec(scene="pink wall", actors=(Portrait(seed=6),)),
    "camera": SceneSpec(
        scene="mountains", bands=(Band(depth=6, top=0.75, seed=3),), camera=MOVING,
        actors=(Thing(noun="car", motion="slides left", depth=4, seed=7),),
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(SCENES))
def scene(request: pytest.FixtureRequest) -> RenderedScene:
    return render_scene(SCENES[request.param], truth=True)


def looked_up(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """picture[x + flow(x)]."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.asarray(cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR))


def inside(mask: np.ndarray) -> np.ndarray:
    """Without its edges, where a pixel shows two things."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((5, 5)))).astype(bool)


def test_flow_leads_to_the_same_colours(scene: RenderedScene) -> None:
    assert scene.truth is not None
    for here, there, flow in ((0, 1, scene.truth.flow), (1, 0, scene.truth.flow_back)):
        for t in range(0, len(flow), 5):
            found = looked_up(scene.frames[t + there].astype(np.float32), flow[t])
            owner = looked_up(scene.truth.owner[t + there].astype(np.float32), flow[t])
            solid = scene.truth.masks.max(0)[t + here] > 0.99
            same = inside(solid & (owner == scene.truth.owner[t + here]))
            height, width = same.shape
            same[[0, 1, height - 2, height - 1]] = same[:, [0, 1, width - 2, width - 1]] = False
            assert same.mean() > 0.4
            # Shadows lie on what they fall on, and move otherwise than it.
            error = np.abs(found - scene.frames[t + here])[same].max(-1)
            assert np.quantile(error, 0.8) < 12
            of_actors = np.array(scene.truth.actors)[scene.truth.owner[t + here]][same] >= 0
            if of_actors.sum() > 50:
                assert np.median(error[of_actors]) < 8


def test_the_two_flows_are_each_others_way_back(scene: RenderedScene) -> None:
    assert scene.truth is not None
    there = scene.truth.flow[3]
    back = looked_up(scene.truth.flow_back[3], there)
    owner = looked_up(scene.truth.owner[4].astype(np.float32), there)
    same = inside(owner == scene.truth.owner[3]) & (looked_up(np.ones((96, 96), np.float32), there) > 0.999)
    assert np.abs(there + back)[same].max() < 0.2


def test_masks_add_up_to_the_frame(scene: RenderedScene) -> None:
    assert scene.truth is not None
    np.testing.assert_allclose(scene.truth.masks.sum(0), 1, atol=1e-3)
    for index in range(len(scene.spec.actors)):
        parts = scene.truth.masks[np.array(scene.truth.actors) == index].sum(0)
        np.testing.assert_allclose(parts, scene.coverage[index], atol=1e-4)
        assert scene.coverage[index].max() > 0.99


def test_points_stay_on_what_they_were_put_on(scene: RenderedScene) -> None:
    assert scene.truth is not None
    tracks, flow = scene.truth.tracks, scene.truth.flow
    # A mouth opens by whole pixels within one: there half a pixel's distance is much.
    rigid = np.array([name != "mouth" for name in scene.truth.names])[tracks.items]
    seen = tracks.visible[:-1] & tracks.visible[1:] & rigid
    assert seen.mean() > 0.3
    for t in range(len(flow)):
        at = np.round(tracks.places[t][seen[t]]).astype(int)
        moved = (tracks.places[t + 1] - tracks.places[t])[seen[t]]
        expected = flow[t][at[:, 1], at[:, 0]]
        # A point lies up to half a pixel beside the middle of its pixel, and a turning thing moves these unlike.
        assert np.abs(moved - expected).max() < 0.5


def test_the_empty_scene_is_the_frame_beside_the_actors(scene: RenderedScene) -> None:
    assert scene.truth is not None
    near = [cv2.dilate(cover.max(0), np.ones((25, 25))) > 0 for cover in scene.coverage.transpose(1, 0, 2, 3)]
    beside = ~np.stack(near)
    assert np.abs(scene.frames.astype(int) - scene.truth.empty)[beside].max(initial=0) <= 2


def test_what_is_nearer_hides_what_is_farther() -> None:
    for depths in ((2.0, 5.0), (5.0, 2.0)):
        actors = tuple(
            Thing(noun=noun, depth=depth, seed=1, region=Region(left=0.2, top=0.2, width=0.6, height=0.6))
            for noun, depth in zip(("fox", "gift"), depths, strict=True)
        )
        drawn = render_scene(SceneSpec(actors=actors, frames=1), truth=True)
        assert drawn.truth is not None
        near = int(np.argmin(depths))
        alone = render_scene(SceneSpec(actors=(actors[near],), frames=1))
        np.testing.assert_allclose(drawn.coverage[near], alone.coverage[0], atol=1e-5)
        assert drawn.coverage[1 - near].sum() < alone.coverage[0].sum()
        shown = drawn.truth.depth[drawn.coverage[near] > 0.9]
        assert (shown == min(depths)).all()


def test_the_camera_s_numbers_project_the_tracks() -> None:
    scene = render_scene(SCENES["camera"], truth=True)
    assert scene.truth is not None
    truth = scene.truth
    background = truth.tracks.places[:, truth.tracks.items == 0].astype(float)
    focal, centre = truth.intrinsics[0][0, 0], truth.intrinsics[0][:2, 2]
    depth = 8.0
    world = np.concatenate([(background[0] - centre) * depth / focal, np.full((background.shape[1], 1), depth)], axis=1)
    for t in (5, 16):
        seen = world @ truth.poses[t][:3, :3].T + truth.poses[t][:3, 3]
        image = seen @ truth.intrinsics[t].T
        np.testing.assert_allclose(image[:, :2] / image[:, 2:], background[t], atol=1e-3)


def test_what_is_near_moves_more_than_what_is_far() -> None:
    spec = SceneSpec(scene="field", camera=Camera(pan=(0.1, 0)), actors=(Thing(noun="fox", depth=2, seed=1),))
    truth = render_scene(spec, truth=True).truth
    assert truth is not None
    way = truth.tracks.places[-1, :, 0] - truth.tracks.places[0, :, 0]
    near, far = way[truth.tracks.items == 1].mean(), way[truth.tracks.items == 0].mean()
    assert near == pytest.approx(4 * far, rel=0.05)
    assert far == pytest.approx(-0.1 * 96, rel=0.01)


def test_joints_lie_in_their_limbs() -> None:
    scene = render_scene(SCENES["figure"], truth=True)
    assert scene.truth is not None
    names, joints = list(scene.truth.names), scene.truth.joints[0]
    limbs = {"head": "head", "left hand": "left forearm", "right foot": "right shin", "hips": "torso"}
    for joint, part in limbs.items():
        mask = scene.truth.masks[names.index(part)]
        hits = [mask[t, round(y), round(x)] > 0.2 for t, (x, y) in enumerate(joints[joint].tolist())]
        assert np.mean(hits) > 0.7, joint


def test_a_twin_differs_in_its_own_pixels_alone() -> None:
    spec = SCENES["two"]
    one, other = render_scene(spec), render_scene(twin(spec, 0, 120.0))
    differs = (one.frames != other.frames).any(-1)
    assert differs.any()
    assert not differs[one.coverage[0] == 0].any()
    np.testing.assert_array_equal(one.coverage, other.coverage)


def test_the_same_spec_gives_the_same_bytes(scene: RenderedScene) -> None:
    again = render_scene(scene.spec)
    np.testing.assert_array_equal(again.frames, scene.frames)
    np.testing.assert_allclose(again.coverage, scene.coverage, atol=1e-5)
    assert again.truth is None


def test_a_thing_keeps_its_size_where_another_level_of_its_picture_is_used() -> None:
    spec = SceneSpec(scene="grey wall", frames=33, actors=(Thing(noun="basketball", motion="grows", seed=3),))
    scene = render_scene(spec)
    across = np.sqrt(scene.coverage[0].sum((1, 2)))
    steps = np.diff(across)
    assert steps.min() > 0
    assert steps.max() < 2 * np.median(steps)
