"""One clip in memory: a table, objects, a robot and what it is told, from one seed."""

from dataclasses import dataclass

import numpy as np

from training.robot.backdrop import paint_backdrop
from training.robot.hand import sample_hand
from training.robot.policy import Policy
from training.robot.render import SUPERSAMPLING, render
from training.robot.table import Table
from training.robot.things import sample_things


@dataclass(frozen=True, kw_only=True)
class RobotClip:
    """A rendered clip.

    Attributes:
        frames: uint8 `(T, H, W, 3)`, RGB.
        actions: `(T, 4)`, what is commanded between a frame and the next, see `cvae.steering.move`.
        positions: `(T, 3)`, where the hand is, metres.
        centers: `(T, K, 2)`, where the objects are on the table, metres.
    """

    frames: np.ndarray
    actions: np.ndarray
    positions: np.ndarray
    centers: np.ndarray


def make_clip(
    seed: int | np.random.SeedSequence,
    frames: int = 30,
    size: tuple[int, int] = (64, 64),
    *,
    actions: np.ndarray | None = None,
    luck: int = 0,
) -> RobotClip:
    """Renders the clip of a seed; the same seed shows the same start at any size.

    Args:
        seed: Of the start, the policy and all that is hidden.
        frames: How many.
        size: Height and width in pixels.
        actions: `(T, 4)`, what to command instead of what the policy draws.
        luck: Another number draws another hidden friction, weight and deflection of the objects from the same start.
    """
    seeds = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    # spawn() would count up in the caller's sequence, and a second call would make another clip
    looks, start, will, hidden = (
        np.random.default_rng(np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, *key)))
        for key in ((0,), (1,), (2,), (3, luck))
    )
    backdrop = paint_backdrop(looks, (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING))
    things, hand = sample_things(start), sample_hand(start)
    table, policy = Table(things, hidden), Policy(will)
    shown, commanded, positions, centers = [], [], [], []
    for index in range(frames):
        action = policy.act(hand, table, things) if actions is None else actions[index]
        shown.append(render(backdrop, hand, things, table.centers, table.angles))
        commanded.append(action)
        positions.append(hand.position)
        centers.append(table.centers.copy())
        after = hand.after(action)
        table.advance(hand, after)
        hand = after
    return RobotClip(
        frames=np.stack(shown), actions=np.stack(commanded), positions=np.stack(positions), centers=np.stack(centers)
    )
