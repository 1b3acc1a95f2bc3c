"""What a dancer looks like: proportions, skin, hair and clothes, drawn from a seed."""

import colorsys
from dataclasses import dataclass, replace

import numpy as np

from training.puppets.body import Body

Generator = np.random.Generator
SKINS = (
    (250, 222, 200),
    (240, 200, 172),
    (224, 176, 140),
    (198, 142, 104),
    (160, 106, 74),
    (122, 78, 54),
    (88, 56, 42),
)
HAIRS = ((34, 26, 24), (62, 42, 30), (104, 68, 40), (150, 98, 52), (206, 164, 96), (150, 60, 34), (168, 164, 160))
IRISES = ((58, 36, 22), (58, 36, 22), (92, 64, 34), (74, 104, 140), (84, 112, 76))
NEUTRALS = ((28, 30, 36), (58, 62, 72), (122, 126, 134), (238, 236, 230), (36, 52, 92), (70, 92, 130), (120, 92, 66))


def linear(color: tuple[int, ...] | np.ndarray) -> np.ndarray:
    """An sRGB colour of 0 to 255 as linear light of 0 to 1 (gamma 2)."""
    return (np.asarray(color, np.float32) / 255) ** 2


@dataclass(frozen=True, kw_only=True)
class Dancer:
    """Colours are linear `(3,)` in [0, 1].

    Attributes:
        girth: Thickness of limbs and torso, 1 is average.
        hips: Width of the hips against that of the chest, about 0.9 to 1.15.
        hair_style: "short", "bob", "long", "bun", "ponytail", "curls", "cap" or "bald".
        sleeve: Share of the arm that is covered, 0 to 1.
        leg_cover: Share of the leg that trousers cover, 0 to 1.
        leg_width: Looseness of trousers, 1 is tight.
        skirt: Length of a skirt as a share of the leg; 0 is none.
        pattern: "plain", "stripes", "hoops", "two-tone", "logo", "dots", "vest" or "gradient".
        dress: The skirt goes on in the colour of the top.
    """

    body: Body
    girth: float
    hips: float
    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    beard: bool
    glasses: bool
    lips: np.ndarray
    iris: np.ndarray
    top: np.ndarray
    second: np.ndarray
    pattern: str
    sleeve: float
    bottom: np.ndarray
    leg_cover: float
    leg_width: float
    skirt: float
    dress: bool
    shoes: np.ndarray
    sole: np.ndarray
    socks: np.ndarray
    accent: np.ndarray


def _vivid(generator: Generator) -> np.ndarray:
    red, green, blue = colorsys.hsv_to_rgb(
        generator.random(), generator.uniform(0.35, 0.9), generator.uniform(0.45, 1.0)
    )
    return linear(np.array([red, green, blue]) * 255)


def _cloth(generator: Generator, vivid: float) -> np.ndarray:
    if generator.random() < vivid:
        return _vivid(generator)
    return linear(np.clip(np.array(NEUTRALS[generator.integers(len(NEUTRALS))]) + generator.normal(0, 8, 3), 0, 255))


def _body(generator: Generator) -> tuple[Body, float]:
    """Proportions and girth: one in six is a child."""
    child = generator.random() < 0.16
    tall = generator.uniform(0.62, 0.8) if child else float(np.clip(generator.normal(1.0, 0.06), 0.86, 1.14))
    limb = tall * (0.94 if child else generator.normal(1.0, 0.025))
    wide = tall * (0.92 if child else float(np.clip(generator.normal(1.0, 0.06), 0.88, 1.14)))
    base = Body()
    body = replace(
        base,
        **{name: getattr(base, name) * limb for name in ("thigh", "shin", "upper_arm", "forearm", "hand", "foot")},
        **{name: getattr(base, name) * tall for name in ("ankle_height", "torso", "neck")},
        **{name: getattr(base, name) * wide for name in ("hip_width", "shoulder_width")},
        head=base.head * tall ** (0.35 if child else 0.6),
    )
    girth = tall * float(np.clip(generator.normal(1.0, 0.13), 0.78, 1.4))
    return body, girth


def sample_dancer(generator: Generator) -> Dancer:
    """Draws a dancer; nobody is like another."""
    body, girth = _body(generator)
    skin = linear(np.clip(np.array(SKINS[generator.integers(len(SKINS))]) * generator.uniform(0.94, 1.04), 0, 255))
    feminine = generator.random() < 0.5
    styles = {"short": 3, "bob": 1, "long": 1, "bun": 1, "ponytail": 1, "curls": 1, "cap": 1.3, "bald": 0.6}
    if feminine:
        styles |= {"short": 0.7, "bob": 2, "long": 3, "bun": 2, "ponytail": 2, "bald": 0.05}
    if body.height < 1.5:
        styles["bald"] = 0
    odds = np.array(list(styles.values()))
    tones = len(HAIRS) if body.height > 1.5 else len(HAIRS) - 1  # no child is grey
    hair = _vivid(generator) if generator.random() < 0.06 else linear(HAIRS[generator.integers(tones)])
    top = _cloth(generator, 0.65)
    skirted = feminine and generator.random() < 0.45
    dress = skirted and bool(generator.random() < 0.5)
    cover = float(generator.choice([0.36, 0.46, 0.75, 0.97, 0.97, 0.97, 0.97]))
    patterns = ["plain", "plain", "stripes", "hoops", "two-tone", "logo", "logo", "dots", "vest", "gradient"]
    return Dancer(
        body=replace(body, shoulder_width=body.shoulder_width * (0.88 if feminine else 0.98)),
        girth=girth * (0.93 if feminine else 1.03),
        hips=1.07 if feminine else 0.95,
        skin=skin,
        hair=hair,
        hair_style=str(generator.choice(list(styles), p=odds / odds.sum())),
        beard=bool(not feminine and body.height > 1.5 and generator.random() < 0.3),
        glasses=bool(generator.random() < 0.15),
        lips=skin * ((0.85, 0.4, 0.4) if feminine else (0.75, 0.5, 0.48)),
        iris=linear(IRISES[generator.integers(len(IRISES))]),
        top=top,
        second=_contrasting(generator, top),
        pattern=str(generator.choice(patterns)),
        sleeve=float(generator.choice([0.0, 0.26, 0.3, 0.36, 0.62, 0.98, 0.98])),
        bottom=top if dress else _contrasting(generator, top, vivid=0.3),
        leg_cover=0.0 if skirted and generator.random() < 0.8 else cover,
        leg_width=float(generator.uniform(1.0, 1.45)),
        skirt=float(generator.uniform(0.36, 0.72)) if skirted else 0.0,
        dress=dress,
        shoes=_cloth(generator, 0.4),
        sole=linear((232, 230, 224)) if generator.random() < 0.6 else linear((40, 36, 34)),
        socks=linear((236, 236, 236)) if generator.random() < 0.6 else _cloth(generator, 0.6),
        accent=_vivid(generator),
    )


def _contrasting(generator: Generator, other: np.ndarray, vivid: float = 0.6) -> np.ndarray:
    for _ in range(6):
        color = _cloth(generator, vivid)
        if float(np.abs(np.sqrt(color) - np.sqrt(other)).sum()) > 0.45:
            break
    return color
