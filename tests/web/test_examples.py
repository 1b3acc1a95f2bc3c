from pathlib import Path

import pytest

from cvae.errors import InputError
from tests.conftest import moving_square, write_pictures
from web.examples import build_cards, find_examples, fitting

ROOT = Path(__file__).parents[2]


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_examples_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    make(tmp_path / "2-red_shirt", "first_frame.png", "poses.gif")
    make(tmp_path / "1-green-dress", "first_frame.png", "poses.zip", "truth.zip")
    first, second = find_examples(tmp_path)
    assert (first.title, second.title) == ("Green dress", "Red shirt")
    assert first.truth == tmp_path / "1-green-dress" / "truth.zip"
    assert (second.poses, second.truth) == (tmp_path / "2-red_shirt" / "poses.gif", None)


def test_no_folder_means_no_examples(tmp_path: Path) -> None:
    assert find_examples(tmp_path / "none") == []


def test_example_without_poses_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path / "half", "first_frame.png")
    with pytest.raises(InputError, match=r"half lacks first_frame\.png or its poses"):
        find_examples(tmp_path)


def test_titles_are_shown_as_text(tmp_path: Path) -> None:
    place = tmp_path / "<b>"
    write_pictures(place, moving_square(1)[0])
    (place / "0.png").rename(place / "first_frame.png")
    (place / "poses.gif").write_bytes(b"x")
    cards = build_cards(find_examples(tmp_path))
    assert "&lt;b&gt;" in cards.value
    assert "<b>" not in cards.value


def test_examples_of_another_shape_than_the_models_frames_are_left_out() -> None:
    examples = find_examples(ROOT / "examples")
    assert fitting(examples, (32, 64)) == fitting(examples, (64, 128)) == examples
    assert fitting(examples, (64, 64)) == fitting(examples, (128, 64)) == []
