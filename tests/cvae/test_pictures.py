from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits
from cvae.pictures import open_picture, read_picture, resize
from tests.cvae.media import blocks, encode_video, encoded, png_header, save_animation


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    Image.new("RGB", (8, 4), (200, 30, 30)).save(tmp_path / "photo.png", "JPEG")
    assert read_picture(tmp_path / "photo.png").shape == (4, 8, 3)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP"])
def test_lossless_kinds_are_read_exactly(tmp_path: Path, kind: str) -> None:
    frame = blocks()[0]
    Image.fromarray(frame).save(tmp_path / "picture", kind, **({"lossless": True} if kind == "WEBP" else {}))
    np.testing.assert_array_equal(read_picture(tmp_path / "picture"), frame)


def test_a_phone_photo_is_turned_upright(tmp_path: Path) -> None:
    frame = np.zeros((16, 32, 3), np.uint8)
    frame[:, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned 90 degrees clockwise
    Image.fromarray(frame).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    upright = read_picture(tmp_path / "photo.jpg")
    assert upright.shape == (32, 16, 3)
    assert upright[2].mean() > 250 and upright[-3].mean() < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparent_parts_become_white(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 2, 2))
    if mode == "P":
        picture.convert("RGB").convert("P").save(tmp_path / "a.png", transparency=0)
        assert (read_picture(tmp_path / "a.png") == 255).all()  # all was black, and black is transparent
        return
    picture.convert(mode).save(tmp_path / "a.png" if mode != "PA" else tmp_path / "a.webp", lossless=True)
    read = read_picture(tmp_path / ("a.png" if mode != "PA" else "a.webp"))
    assert (read[:, :2] == 0).all() and (read[:, 2:] == 255).all()


def test_half_transparent_red_is_pink_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (255, 0, 0, 128)).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_picture(tmp_path / "a.png")[0, 0], (255, 127, 127), atol=1)


def test_16_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    grey = np.array([[0, 0x7F00, 0xFFFF]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "deep.png")[0, :, 0], [0, 0x7F, 0xFF])


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_colour_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (8, 8), "white").convert(mode).save(tmp_path / "a", "JPEG" if mode == "CMYK" else "PNG")
    assert (read_picture(tmp_path / "a") >= 254).all()


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    path = save_animation(tmp_path / "a.png", blocks(), duration=50)
    np.testing.assert_array_equal(read_picture(path), blocks()[0])


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (20_000, 20_000, "50 million"),
        (10_000, 10_000, "50 million"),
        (9_000, 9_000, "9000x9000 pixels; at most 50 million"),
        (20_000, 1, "20000x1 pixels; at most 16384 on a side"),
    ],
)
def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path, width: int, height: int, message: str) -> None:
    (tmp_path / "huge.png").write_bytes(png_header(width, height))
    with pytest.raises(InputError, match=message):
        read_picture(tmp_path / "huge.png")


def test_a_limit_of_pixels_is_inclusive(tmp_path: Path) -> None:
    Image.new("RGB", (8, 4)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png", limits=Limits(max_pixels=32)).shape == (4, 8, 3)
    with pytest.raises(InputError, match="8x4 pixels; at most 31 in a frame"):
        read_picture(tmp_path / "a.png", limits=Limits(max_pixels=31))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_cut_picture_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    Image.effect_noise((64, 64), 99).convert("RGB").save(tmp_path / "whole", kind)
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r'"cut" is damaged and cannot be read as a picture\.'):
        read_picture(tmp_path / "cut")


def test_our_own_mistake_is_not_blamed_on_the_picture() -> None:
    file = BytesIO(encoded(blocks()[0]))
    with pytest.raises(AssertionError, match="ours"), open_picture(file, "a.png", LIMITS):
        raise AssertionError("ours")


def test_a_video_named_png_is_called_a_video(tmp_path: Path) -> None:
    encode_video(tmp_path / "a.mp4", blocks(), "-pix_fmt", "yuv420p").rename(tmp_path / "a.png")
    with pytest.raises(InputError, match=r'"a.png" is an MP4 or MOV video; expected a picture'):
        read_picture(tmp_path / "a.png")


def test_shrinking_averages_areas() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 12, 8, 3), dtype=np.uint8)
    means = frames.reshape(3, 3, 4, 4, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(resize(frames, (3, 4)), means, atol=0.51)


def test_one_side_may_grow_while_the_other_shrinks() -> None:
    frames = blocks(2, 32, 48)
    resized = resize(frames, (64, 24))
    assert resized.shape == (2, 64, 24, 3)
    np.testing.assert_allclose(resized[:, 8, 2], frames[:, 4, 4], atol=1)


def test_a_frame_of_the_right_size_stays_as_it_is() -> None:
    np.testing.assert_array_equal(resize(blocks(), (32, 48)), blocks())
