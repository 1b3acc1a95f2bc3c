"""From a hand and objects to a frame: shadows, solids, and an average over several times as many pixels."""

import cv2
import numpy as np

from training.robot.arm import SHOULDER, Arm, reach
from training.robot.hand import FINGER_RADIUS, Hand
from training.robot.solids import LIGHT, Ball, Prism, Solid, Tube, circle, fill, fixed, rectangle
from training.robot.things import Thing

SUPERSAMPLING = 4
_WHITE, _DARK, _ORANGE = (np.array(c, np.float32) for c in ((232, 234, 238), (52, 56, 64), (238, 118, 32)))
_FINGER_LENGTH = 0.066  # metres
_LOST = np.array([115.0])  # light lost in the middle of a shadow, of 255
_BASE: tuple[Solid, ...] = (
    Prism(circle(SHOULDER[:2], 0.085), 0.0, 0.03, _DARK),
    Prism(circle(SHOULDER[:2], 0.06), 0.03, 0.11, _WHITE),
    Ball(SHOULDER, 0.06, _DARK),
)


def render(
    backdrop: np.ndarray, hand: Hand, things: tuple[Thing, ...], centers: np.ndarray, angles: np.ndarray
) -> np.ndarray:
    """A frame, uint8 `(H, W, 3)`, RGB.

    Args:
        backdrop: uint8 `(H, W, 3)`, each side `SUPERSAMPLING` times that of the frame.
        hand: Where it is now.
        things: K objects.
        centers: `(K, 2)`, where they are now, metres.
        angles: `(K,)`, radians.
    """
    arm = reach(hand.position)
    upright = [_solid(*thing) for thing in zip(things, centers, angles, strict=True)] + _fingers(hand)
    upright.sort(key=lambda solid: -solid.corners()[:, 1].mean())
    above = [*_links(arm), *_palm(hand, arm)]
    picture = _darkened(backdrop, upright, above)
    for solid in (*_BASE, *upright, *above):
        solid.paint(picture)
    height, width = (side // SUPERSAMPLING for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _solid(thing: Thing, center: np.ndarray, angle: float) -> Solid:
    if thing.kind == "ball":
        return Ball(np.append(center, thing.radius), thing.radius, thing.color)
    if thing.kind == "disc":
        return Prism(circle(center, thing.radius), 0.0, thing.height, thing.color)
    half = thing.radius / np.sqrt(2)
    return Prism(rectangle(center, (half, half), angle), 0.0, thing.height, thing.color)


def _fingers(hand: Hand) -> list[Solid]:
    bottom = float(hand.position[2])
    half = (FINGER_RADIUS, FINGER_RADIUS)
    return [Prism(rectangle(place, half), bottom, bottom + _FINGER_LENGTH, _DARK) for place in hand.fingers]


def _palm(hand: Hand, arm: Arm) -> list[Solid]:
    """The bar that the fingers slide along, and the wrist above it."""
    top = float(hand.position[2]) + _FINGER_LENGTH
    return [
        Prism(rectangle(hand.position[:2], (0.062, 0.022)), top, top + 0.028, _ORANGE),
        Tube(np.append(hand.position[:2], top + 0.028), arm.wrist, 0.024, 0.028, _WHITE),
        Ball(arm.wrist, 0.034, _DARK),
    ]


def _links(arm: Arm) -> list[Solid]:
    return [
        Tube(SHOULDER, arm.elbow, 0.05, 0.042, _WHITE),
        Ball(arm.elbow, 0.05, _DARK),
        Tube(arm.elbow, arm.wrist, 0.042, 0.032, _WHITE),
    ]


def _darkened(backdrop: np.ndarray, upright: list[Solid], above: list[Solid]) -> np.ndarray:
    """The backdrop with the shadows on the table: the higher a solid, the softer."""
    height, width = (side // SUPERSAMPLING for side in backdrop.shape[:2])
    shadows = []
    for solids, softness in (([*_BASE, *upright], 0.008), (above, 0.02)):
        mask = np.zeros((height, width), np.uint8)
        for outline in _cast(solids, mask):
            fill(mask, cv2.convexHull(outline), _LOST)
        shadows.append(cv2.GaussianBlur(mask, (0, 0), softness * height))
    lost = cv2.resize(cv2.max(*shadows), backdrop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(backdrop, cv2.cvtColor(255 - lost, cv2.COLOR_GRAY2RGB), scale=1 / 255)


def _cast(solids: list[Solid], mask: np.ndarray) -> list[np.ndarray]:
    """Where the light through the corners of each solid meets the table, in what `fixed` gives."""
    corners = [solid.corners() for solid in solids]
    points = np.concatenate(corners)
    points = fixed(points - points[:, 2:] / LIGHT[2] * LIGHT, mask)
    return np.split(points, np.cumsum([len(part) for part in corners])[:-1])
