"""Make the bundled examples and the README's moving pictures: `python -m docs.make_pictures`.

The dancers and robots come from seeds that no training data holds. Run it again when the puppets or the weights change.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from cvae.borders import TRUE, bordered, bordered_video
from cvae.checkpoint import BUNDLED, BUNDLED_ROBOT, load_checkpoint
from cvae.export import write_gif, write_mp4, write_png
from cvae.extract import PREVIEW_HEIGHT
from cvae.generate import frame_psnr, generate
from cvae.poses.person import read_person
from cvae.poses.skeleton import draw_skeletons
from cvae.request import read_request
from cvae.robot_request import ROBOT_FPS, read_robot_request
from training.puppets.clip import make_clip
from training.robot.clip import make_clip as make_robot_clip
from training.robot.hand import DIGITS

ROOT = Path(__file__).parents[1]
DANCERS, ROBOTS = ROOT / "examples" / "dancers", ROOT / "examples" / "robots"
ROBOT_EXAMPLES = {"1-push-blue-left": (35, 16), "2-push-purple-right": (23, 16), "3-push-blue-to-pink": (18, 5)}
"""Which test clip of `python -m training robot --seed 77`, and from which frame on."""
ROBOT_FRAMES, ROBOT_SAMPLES = 14, 3
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


def write_robot_example(folder: Path, index: int, start: int) -> None:
    """Frames, actions and positions of one trajectory in the lab's layout, from a frame in which nothing is pushed."""
    clip = make_robot_clip(np.random.SeedSequence(77, spawn_key=(2, index)))
    shown = slice(start, start + ROBOT_FRAMES)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, frame in enumerate(clip.frames[shown]):
        write_png(folder / f"{number}.png", frame)
    for name, rows in (("actions", clip.actions), ("endeffector_positions", clip.positions)):
        np.savetxt(folder / f"{name}.csv", rows[shown], fmt=f"%.{DIGITS}f", delimiter=",")


def side_by_side(folder: Path) -> np.ndarray:
    """Pose, prediction and truth of an example in one row, uint8 `(T, H, W', 3)`, twice as large."""
    checkpoint = load_checkpoint(BUNDLED)
    request = read_request(
        folder / "first_frame.png", folder / "poses.webp", folder / "truth.webp", size=checkpoint.config.data.size
    )
    predicted = list(generate(checkpoint.model, request))
    assert request.truth is not None
    print(f"{folder.name}: {np.mean(frame_psnr(predicted, request.truth[1:])):.2f} dB")
    return in_a_row([request.poses, np.stack([*request.given, *predicted]), request.truth])


def robot_samples(folder: Path) -> np.ndarray:
    """Three videos drawn of an example, and the truth, in one row, uint8 `(T, H, W', 3)`, twice as large."""
    checkpoint = load_checkpoint(BUNDLED_ROBOT)
    past = checkpoint.config.model.past_frames
    request = read_robot_request(None, folder, size=checkpoint.config.data.size, past_frames=past)
    assert request.truth is not None
    columns = []
    for seed in range(ROBOT_SAMPLES):
        predicted = list(generate(checkpoint.model, request, sample="prior", seed=seed))
        print(f"{folder.name}: {np.mean(frame_psnr(predicted, request.truth[past:])):.2f} dB")
        columns.append(bordered_video(np.stack([*request.given, *predicted]), past))
    return in_a_row([*columns, bordered(request.truth, TRUE)])


def in_a_row(columns: list[np.ndarray]) -> np.ndarray:
    """Videos side by side with white between them, uint8 `(T, H, W', 3)`, twice as large."""
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
        write_example(DANCERS / name, seed)
    for name, (index, start) in ROBOT_EXAMPLES.items():
        write_robot_example(ROBOTS / name, index, start)
    rows = [side_by_side(DANCERS / name) for name in EXAMPLES]
    write_gif(ROOT / "docs" / "dancers.gif", np.concatenate(rows, axis=1)[:, : -2 * MARGIN, : -2 * MARGIN], FPS)
    write_gif(ROOT / "docs" / "found_poses.gif", found_poses(FILMED), FPS)
    robots = np.concatenate([robot_samples(ROBOTS / name) for name in ROBOT_EXAMPLES], axis=1)
    write_gif(ROOT / "docs" / "robot.gif", robots[:, : -2 * MARGIN, : -2 * MARGIN], ROBOT_FPS)
