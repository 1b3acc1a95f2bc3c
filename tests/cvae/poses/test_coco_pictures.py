from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.poses.coco_pictures import read_coco_pictures
from cvae.video import read_clip
from tests.cvae.media import encode_mp4
from tests.cvae.poses.coco_drawings import draw_coco, standing

BODY_HEIGHT = 408 / 512  # of the picture


def mean_error(found: np.ndarray, expected: np.ndarray, size: int) -> float:
    """Of the joints that both have, in shares of the person's height."""
    both = (found[..., 2] > 0) & (expected[..., 2] > 0)
    return float(np.hypot(*(found - expected)[both][:, :2].T).mean() / (BODY_HEIGHT * size))


def through_h264(picture: np.ndarray, path: Path, crf: int) -> np.ndarray:
    return read_clip(encode_mp4(path, np.stack([picture] * 3), "-crf", str(crf))).frames[1]


@pytest.mark.parametrize("recipe", ["dimmed", "blended"])
@pytest.mark.parametrize("size", [256, 384, 512, 768, 1024, 1600])
def test_every_joint_is_found_in_any_size(recipe, size):
    picture = cv2.resize(draw_coco(standing(), recipe=recipe), (size, size), interpolation=cv2.INTER_AREA)
    found = read_coco_pictures([picture])
    assert found[0, :, 2].sum() >= 17
    assert mean_error(found[0], standing(size / 512), size) < 0.01


def test_a_thick_brush_is_read_too():
    found = read_coco_pictures([draw_coco(standing(0.5), (256, 256))])
    assert found[0, :, 2].sum() >= 16
    assert mean_error(found[0], standing(0.5), 256) < 0.01


@pytest.mark.parametrize(("size", "crf", "least"), [(512, 23, 18), (512, 35, 16), (256, 23, 16), (1024, 35, 18)])
def test_joints_survive_h264(tmp_path, size, crf, least):
    picture = cv2.resize(draw_coco(standing()), (size, size), interpolation=cv2.INTER_AREA)
    found = read_coco_pictures([through_h264(picture, tmp_path / "a.mp4", crf)])
    assert found[0, :, 2].sum() >= least
    assert mean_error(found[0], standing(size / 512), size) < 0.015
