"""Pictures of any kind as RGB on white, in any size."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from PIL import Image, ImageOps

from cvae.errors import InputError
from cvae.inputs import (
    LIMITS,
    PICTURE_FORMATS,
    Limits,
    millions,
    open_file,
    quoted,
    read_head,
    recognise,
    width_by_height,
)

_PILLOW_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
# A JPEG of several pictures is no animation: phones keep a depth map or a preview in the second.
_ANIMATED_FORMATS = ("PNG", "GIF", "WEBP")


def read_picture(path: Path, *, limits: Limits = LIMITS) -> np.ndarray:
    """Reads one picture, turned as its EXIF tag says, transparent parts on white.

    Args:
        path: PNG, JPEG, GIF, WebP or BMP, whatever its name; of an animation, the first frame.
        limits: How large it may be; checked before anything is decoded.

    Returns:
        uint8 RGB, `(H, W, 3)`.

    Raises:
        InputError: If it is no picture, too large, or damaged.
    """
    came = recognise(read_head(path, limits))
    if came.kind != "picture":
        raise InputError(f"{quoted(path.name)} is {came.title}; expected a picture ({PICTURE_FORMATS}).")
    with open_file(path) as file, open_picture(file, path.name, limits) as image:
        return to_rgb(image)


def decode_still(file: IO[bytes], name: str, limits: Limits) -> np.ndarray:
    """Like `read_picture`, of a file already open; refuses an animation.

    Raises:
        InputError: If it is animated, too large, or damaged.
    """
    with open_picture(file, name, limits) as image:
        if is_animated(image):
            raise InputError(f"{quoted(name)} is animated; expected still pictures, or one animation alone.")
        return to_rgb(image)


@contextmanager
def open_picture(file: IO[bytes], name: str, limits: Limits) -> Iterator[Image.Image]:
    """Opens a picture lazily and checks its size; nothing is decoded yet.

    What Pillow raises in the body, now or while decoding, comes out as `InputError`; a failed `assert`, our own
    mistake, stays one.
    """
    try:
        with Image.open(file, formats=_PILLOW_FORMATS) as image:
            limits.check_frame(name, *image.size)
            yield image
    except (InputError, AssertionError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = millions(limits.max_pixels)
        raise InputError(f"{quoted(name)} is far above the {most} pixels in a frame that are accepted.") from error
    except Exception as error:  # Pillow raises nearly anything on a damaged file, MemoryError included
        raise InputError(f"{quoted(name)} is damaged and cannot be read as a picture.") from error


def is_animated(image: Image.Image) -> bool:
    """Whether a player would show several frames; a JPEG that hides a second picture does not count."""
    return image.format in _ANIMATED_FORMATS and getattr(image, "is_animated", False)


def to_rgb(image: Image.Image) -> np.ndarray:
    """The frame at which `image` stands, uint8 RGB, `(H, W, 3)`."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit grey; `convert` would clip it to white
        grey = np.clip(np.asarray(image).astype(np.int32) >> 8, 0, 255).astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def resize(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes frames: averages areas where they shrink, which keeps thin limbs, and is cubic where they grow.

    Args:
        frames: uint8, `(T, H, W, 3)`.
        size: `(H, W)` of the result.
    """
    return np.stack([resize_frame(frame, size) for frame in frames])


def resize_frame(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Like `resize`, of one frame `(H, W, 3)`."""
    shrunk = (min(size[0], frame.shape[0]), min(size[1], frame.shape[1]))
    if shrunk != frame.shape[:2]:
        frame = cv2.resize(frame, shrunk[::-1], interpolation=cv2.INTER_AREA)
    if size != shrunk:
        frame = cv2.resize(frame, size[::-1], interpolation=cv2.INTER_CUBIC)
    return frame


def is_stretched(came: tuple[float, float], size: tuple[int, int]) -> bool:
    """Whether to resize from one `(H, W)` to the other changes proportions so that people see it."""
    return abs(math.log((size[0] * came[1]) / (size[1] * came[0]))) > 0.05


def resize_note(what: str, came: tuple[int, int], size: tuple[int, int]) -> str:
    """The sentence that tells the user of it; `what` is with its verb: "The first frame is"."""
    shape = ", which changes the proportions" if is_stretched(came, size) else ""
    return f"{what} resized from {width_by_height(came)} to {width_by_height(size)} (width x height){shape}."
