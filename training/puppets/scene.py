"""Where a clip takes place: camera, light and background, drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from training.puppets.backdrop import PAINTERS, Backdrop, paint_backdrop
from training.puppets.body import Body
from training.puppets.camera import Camera
from training.puppets.choreography import Stage
from training.puppets.rotations import unit

Generator = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Light:
    """One main light with sky and bounce.

    Attributes:
        toward: `(3,)`, unit vector from the person to the light, in the world.
        main: Its colour, linear `(3,)`.
        sky: Light from above, `(3,)`.
        bounce: Light from the floor, `(3,)`.
        rim: Strength of the light from behind.
        shadow: How dark the shadow on the floor is, 0 to 1.
    """

    toward: np.ndarray
    main: np.ndarray
    sky: np.ndarray
    bounce: np.ndarray
    rim: float
    shadow: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that stays during a clip but the dancer.

    Attributes:
        noise: Standard deviation of the sensor's noise in the picture, in 1/255.
    """

    camera: Camera
    light: Light
    backdrop: Backdrop
    stage: Stage
    noise: float


def sample_scene(generator: Generator, body: Body, size: tuple[int, int]) -> Scene:
    """Draws a scene in which a person of that body is framed well."""
    camera, distance = _camera(generator, body)
    half_width = size[1] / size[0] / (2 * camera.focal) * distance
    behind = generator.uniform(2.0, 4.0)
    stage = Stage(
        reach=max(0.1, (half_width - 0.5) / body.leg),
        exit=(half_width + 0.6) / body.leg,
        near=(distance - max(1.3, 0.5 * distance)) / body.leg,
        far=-min(1.0, behind - 0.8) / body.leg,
    )
    kinds = list(PAINTERS)
    kind = str(generator.choice(kinds, p=[PAINTERS[name][1] for name in kinds]))
    backdrop = paint_backdrop(generator, kind, camera, size, -behind)
    light = _light(generator, kind, backdrop)
    noise = float(generator.choice([0.0, 0.0, 1.0]) * generator.uniform(0.3, 1.2))
    return Scene(camera=camera, light=light, backdrop=backdrop, stage=stage, noise=noise)


def _camera(generator: Generator, body: Body) -> tuple[Camera, float]:
    """The camera and its distance: mostly the whole person, 55 to 95 % of the picture; sometimes closer."""
    share = generator.uniform(1.05, 1.5) if generator.random() < 0.07 else generator.uniform(0.6, 0.95)
    focal = generator.uniform(1.1, 2.4)
    distance = focal * body.height / share
    height = float(np.clip(generator.normal(1.15, 0.3), 0.45, 2.2))
    aim = body.height * (0.52 if share < 1 else 0.52 + 0.42 * (share - 0.9))
    aim += generator.uniform(-0.3, 0.5) * max(0.0, body.height / share - body.height) * 0.5
    place = np.array([0.0, height, np.sqrt(max(distance**2 - (height - aim) ** 2, 1.0))])
    return Camera(place=place, pitch=float(np.arctan2(height - aim, place[2])), focal=focal), distance


def _light(generator: Generator, kind: str, backdrop: Backdrop) -> Light:
    """A main light from above and in front, warm or cold, with an ambience that fits the background."""
    azimuth, elevation = generator.uniform(-1.1, 1.1), generator.uniform(0.55, 1.15)
    toward = np.array([np.sin(azimuth), np.tan(elevation), np.cos(azimuth)])
    warmth = generator.uniform(-0.12, 0.16)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    below = backdrop.picture[-max(1, len(backdrop.picture) // 6) :].mean(axis=(0, 1))
    ambience = generator.uniform(0.28, 0.5) * (0.75 if kind == "stage" else 1.0)
    sky = ambience * np.array([1 - 0.5 * warmth, 1.0, 1 + 0.6 * warmth])
    return Light(
        toward=unit(toward),
        main=tint * generator.uniform(0.62, 0.85),
        sky=sky,
        bounce=ambience * (0.35 + 0.6 * below / max(float(below.max()), 0.2)),
        rim=float(generator.uniform(0.05, 0.3)),
        shadow=float(generator.uniform(0.35, 0.65)),
    )
