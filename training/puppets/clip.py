"""One clip in memory: a dancer, a scene and a choreography from one seed."""

from dataclasses import dataclass

import numpy as np

from cvae.poses.skeleton import draw_skeletons
from training.puppets.body import pose_body
from training.puppets.camera import find_keypoints
from training.puppets.choreography import choreograph
from training.puppets.dancer import sample_dancer
from training.puppets.render import render
from training.puppets.scene import sample_scene


@dataclass(frozen=True, kw_only=True)
class PuppetClip:
    """A rendered clip.

    Attributes:
        frames: uint8 `(T, H, W, 3)`, RGB.
        poses: uint8 `(T, H, W, 3)`, EDN-23 skeletons on white.
        keypoints: `(T, 23, 3)`: x and y in pixels, confidence 0 or 1.
    """

    frames: np.ndarray
    poses: np.ndarray
    keypoints: np.ndarray


def make_clip(
    seed: int | np.random.SeedSequence, frames: int = 48, size: tuple[int, int] = (64, 128), fps: float = 15.0
) -> PuppetClip:
    """Renders the clip of a seed; the same seed shows the same dancer, place and motion at any size."""
    seeds = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    # spawn() would count up in the caller's sequence, and a second call would make another clip
    looks, place, moves, noise = (
        np.random.default_rng(np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, k))) for k in range(4)
    )
    dancer = sample_dancer(looks)
    scene = sample_scene(place, dancer.body, size)
    motion = choreograph(moves, frames, fps, scene.stage)
    figure = pose_body(dancer.body, motion)
    keypoints = find_keypoints(figure, dancer.body, scene.camera, size)
    pictures = np.stack(list(render(figure, dancer, scene, size, noise)))
    return PuppetClip(frames=pictures, poses=draw_skeletons(keypoints, size), keypoints=keypoints)
