"""Make the bundled examples and the README's moving pictures: `python -m docs.make_pictures`.

The dancers come from seeds that no training data holds. Run it again when the puppets or the weights change.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from cvae.checkpoint import BUNDLED, load_checkpoint
from cvae.export import write_gif, write_mp4
from cvae.extract import PREVIEW_HEIGHT
from cvae.generate import frame_psnr, generate
from cvae.poses.person import read_person
from cvae.poses.skeleton import draw_skeletons
from cvae.request import read_request
from training.puppets.clip import make_clip

ROOT = Path(__file__).parents[1]
EXAMPLES = {"1-magenta-sweater": 4, "2-teal-shirt": 14, "3-yellow-dress": 6}
FRAMES, FPS = 101, 12.5  # a delay of 80 ms, which a GIF keeps exactly
FILMED = 30  # the dancer of the pose finder's picture
MARGIN = 4


def write_example(folder: Path, seed: int) -> None:
    """First frame, poses and truth of one dancer, without loss."""
    clip = make_clip(seed, FRAMES, (64, 128), FPS)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    Image.fromarray(clip.frames[0]).save(folder / "first_frame.png")
    for name, frames in (("poses", clip.poses), ("truth", clip.frames)):
        first, *rest = [Image.fromarray(frame) for frame in frames]
        options = {"save_all": True, "append_images": rest, "duration": round(1000 / FPS), "loop": 0}
        first.save(folder / f"{name}.webp", lossless=True, quality=100, method=3, **options)


def side_by_side(folder: Path) -> np.ndarray:
    """Pose, prediction and truth of an example in one row, uint8 `(T, H, W', 3)`, twice as large."""
    checkpoint = load_checkpoint(BUNDLED)
    request = read_request(
        folder / "first_frame.png", folder / "poses.webp", folder / "truth.webp", size=checkpoint.config.data.size
    )
    predicted = list(generate(checkpoint.model, request))
    assert request.truth is not None
    print(f"{folder.name}: {np.mean(frame_psnr(predicted, request.truth[1:])):.2f} dB")
    columns = [request.poses, np.stack([*request.given, *predicted]), request.truth]
    padded = [np.pad(c, ((0, 0), (0, MARGIN), (0, MARGIN), (0, 0)), constant_values=255) for c in columns]
    rows = np.concatenate(padded, axis=2)
    return np.stack([cv2.resize(row, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for row in rows])


def found_poses(seed: int) -> np.ndarray:
    """A video of a dancer and the skeletons found in it, side by side."""
    dancer = make_clip(seed, FRAMES, (PREVIEW_HEIGHT, 2 * PREVIEW_HEIGHT), FPS)
    with TemporaryDirectory() as folder:
        video = Path(folder) / "dancer.mp4"
        write_mp4(video, dancer.frames, FPS)
        person = read_person(video)
    return np.concatenate([person.frames, draw_skeletons(person.points, person.frames.shape[1:3])], axis=2)


if __name__ == "__main__":
    for name, seed in EXAMPLES.items():
        write_example(ROOT / "examples" / name, seed)
    rows = [side_by_side(ROOT / "examples" / name) for name in EXAMPLES]
    write_gif(ROOT / "docs" / "dancers.gif", np.concatenate(rows, axis=1)[:, : -2 * MARGIN, : -2 * MARGIN], FPS)
    write_gif(ROOT / "docs" / "found_poses.gif", found_poses(FILMED), FPS)
