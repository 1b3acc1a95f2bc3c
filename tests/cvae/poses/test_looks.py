from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cvae.pictures import read_picture
from cvae.poses.looks import look_of
from cvae.poses.skeleton import draw_skeleton
from cvae.video import read_clip
from tests.cvae.media import through_h264
from tests.cvae.poses.coco_drawings import add_face, add_hand, draw_coco, standing
from tests.cvae.poses.test_skeleton import STANDING

EXAMPLES = Path(__file__).parents[3] / "examples" / "dancers"
WHITE, BLACK = (np.full((48, 64, 3), level, np.uint8) for level in (255, 0))


def on_white(height: int) -> np.ndarray:
    points = np.column_stack([STANDING * height / 64, np.ones(23)])
    return draw_skeleton(points, (height, 2 * height))


def on_black(height: int) -> np.ndarray:
    return cv2.resize(draw_coco(standing()), (height, height), interpolation=cv2.INTER_AREA)


def person(ground: tuple[int, int, int]) -> np.ndarray:
    """Someone in a blue pullover and dark trousers before one colour, with a camera's noise."""
    picture = np.full((128, 96, 3), ground, np.uint8)
    cv2.ellipse(picture, (48, 24), (9, 12), 0, 0, 360, (60, 40, 30), -1)
    cv2.ellipse(picture, (48, 27), (7, 9), 0, 0, 360, (224, 172, 135), -1)
    cv2.rectangle(picture, (34, 38), (62, 74), (40, 70, 160), -1)
    cv2.rectangle(picture, (28, 40), (33, 72), (224, 172, 135), -1)
    cv2.rectangle(picture, (36, 74), (46, 120), (45, 45, 60), -1)
    cv2.rectangle(picture, (50, 74), (60, 120), (45, 45, 60), -1)
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def grey(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)


def through_gif(picture: np.ndarray, path: Path, colors: int) -> np.ndarray:
    Image.fromarray(picture).quantize(colors).save(path)
    return read_picture(path)


@pytest.mark.parametrize("height", [32, 64, 256, 512])
def test_thin_colours_on_white_are_skeletons(height: int) -> None:
    assert look_of([on_white(height)]) == "skeleton on white"


@pytest.mark.parametrize("height", [32, 64, 256, 512])
def test_rainbow_colours_on_black_are_skeletons(height: int) -> None:
    assert look_of([on_black(height)]) == "skeleton on black"


@pytest.mark.parametrize("recipe", ["dimmed", "blended"])
def test_hands_and_faces_leave_a_skeleton_one(recipe: str) -> None:
    picture = draw_coco(standing(), recipe=recipe)
    add_hand(picture, standing()[3, :2], standing()[4, :2])
    add_face(picture, standing()[0, :2])
    assert look_of([picture]) == "skeleton on black"


@pytest.mark.parametrize("crf", [23, 35])
@pytest.mark.parametrize("height", [32, 64, 256])
def test_white_skeletons_are_known_after_h264(tmp_path: Path, height: int, crf: int) -> None:
    look = look_of([through_h264(on_white(height), tmp_path / "a.mp4", crf)])
    assert look == ("all white" if (height, crf) == (32, 35) else "skeleton on white")  # hardly anything is left there


@pytest.mark.parametrize("crf", [23, 35])
@pytest.mark.parametrize("height", [64, 256])
def test_black_skeletons_are_known_after_h264(tmp_path: Path, height: int, crf: int) -> None:
    assert look_of([through_h264(on_black(height), tmp_path / "a.mp4", crf)]) == "skeleton on black"


@pytest.mark.parametrize("colors", [16, 256])
def test_skeletons_are_known_in_a_gif(tmp_path: Path, colors: int) -> None:
    assert look_of([through_gif(on_white(64), tmp_path / "a.gif", colors)]) == "skeleton on white"
    assert look_of([through_gif(on_black(64), tmp_path / "a.gif", colors)]) == "skeleton on black"


@pytest.mark.parametrize("ground", [(255, 255, 255), (245, 245, 245), (0, 0, 0), (12, 10, 14), (120, 140, 110)])
def test_a_person_before_one_colour_is_a_photo(ground: tuple[int, int, int]) -> None:
    picture = person(ground)
    far = np.full((256, 256, 3), ground, np.uint8)
    far[64:192, 80:176] = picture
    for frame in (picture, grey(picture), cv2.resize(picture, (24, 32), interpolation=cv2.INTER_AREA), far):
        assert look_of([frame]) == "photo"


def test_a_drawing_with_filled_shapes_is_a_photo() -> None:
    picture = np.full((128, 128, 3), 255, np.uint8)
    for centre, size, color in (((64, 30), 14, (255, 220, 190)), ((64, 80), 24, (250, 120, 160))):
        cv2.circle(picture, centre, size, color, -1)
        cv2.circle(picture, centre, size, (0, 0, 0), 2)
    assert look_of([picture]) == "photo"


def test_black_lines_on_white_are_a_photo() -> None:
    picture = cv2.cvtColor(255 - cv2.Canny(person((255, 255, 255)), 60, 150), cv2.COLOR_GRAY2RGB)
    assert look_of([picture]) == "photo"


def test_a_scene_in_the_dark_is_a_photo() -> None:
    dark = (person((120, 140, 110)) * 0.3).astype(np.uint8)
    assert look_of([dark]) == "photo"


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*/")), ids=lambda path: path.name)
def test_the_examples_are_told_apart(example: Path) -> None:
    assert look_of(read_clip(example / "poses.webp").frames[::20]) == "skeleton on white"
    assert look_of(read_clip(example / "truth.webp").frames[::20]) == "photo"


def test_frames_without_anybody_count_only_where_all_are_such() -> None:
    assert look_of([WHITE, WHITE]) == "all white"
    assert look_of([BLACK, BLACK]) == "all black"
    assert look_of([WHITE, WHITE, person((120, 140, 110))]) == "photo"
    assert look_of([BLACK, BLACK, on_black(256)]) == "skeleton on black"


def test_no_more_frames_are_taken_than_needed() -> None:
    frames = iter([BLACK] * 20 + [on_black(64)] * 20)
    assert look_of(frames) == "skeleton on black"
    assert len(list(frames)) == 12


def test_real_labels_are_skeletons_and_real_frames_photos(evaluation_data: Path) -> None:
    for name in ("lab_frames/test0", "lab_frames/train", "lab_frames_64x128/train", "person_clip/pose"):
        arrays = np.load(evaluation_data / f"{name}.npz")
        assert look_of(arrays["pose"][5::100]) == "skeleton on white"
        assert look_of(arrays["gt"][5::100]) == "photo"
