from pathlib import Path

import pytest

from cvae.errors import InputError
from tests.conftest import moving_square, write_pictures
from tests.web.robots import FRAMES, write_own_trajectory
from web.examples import build_cards, find_dancers, find_robots, fitting

ROOT = Path(__file__).parents[2]


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_examples_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    make(tmp_path / "2-red_shirt", "first_frame.png", "poses.gif")
    make(tmp_path / "1-green-dress", "first_frame.png", "poses.zip", "truth.zip")
    first, second = find_dancers(tmp_path)
    assert (first.title, second.title) == ("Green dress", "Red shirt")
    assert first.inputs[2] == [tmp_path / "1-green-dress" / "truth.zip"]
    assert second.inputs[1:] == ([tmp_path / "2-red_shirt" / "poses.gif"], [])


def test_no_folder_means_no_examples(tmp_path: Path) -> None:
    assert find_dancers(tmp_path / "none") == []


def test_example_without_poses_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path / "half", "first_frame.png")
    with pytest.raises(InputError, match=r"half lacks first_frame\.png or its poses"):
        find_dancers(tmp_path)


def test_titles_are_shown_as_text(tmp_path: Path) -> None:
    place = tmp_path / "<b>"
    write_pictures(place, moving_square(1)[0])
    (place / "0.png").rename(place / "first_frame.png")
    (place / "poses.gif").write_bytes(b"x")
    cards = build_cards(find_dancers(tmp_path), "Examples", "examples")
    assert "&lt;b&gt;" in cards.value
    assert "<b>" not in cards.value


def test_examples_of_another_shape_than_the_models_frames_are_left_out() -> None:
    examples = find_dancers(ROOT / "examples" / "dancers")
    assert fitting(examples, (32, 64)) == fitting(examples, (64, 128)) == examples
    assert fitting(examples, (64, 64)) == fitting(examples, (128, 64)) == []


def test_a_trajectory_becomes_given_frames_tables_and_truth(tmp_path: Path) -> None:
    place = write_own_trajectory(tmp_path / "1-push", 12)
    (example,) = find_robots(tmp_path, 3)
    frames, tables, truth = example.inputs
    assert (example.title, example.picture) == ("Push", place / "0.png")
    assert frames == [place / f"{number}.png" for number in range(3)]
    assert [table.name for table in tables] == ["actions.csv", "endeffector_positions.csv"]
    assert truth == [place / f"{number}.png" for number in range(12)]


def test_a_trajectory_without_tables_or_enough_frames_is_refused_by_name(tmp_path: Path) -> None:
    place = write_own_trajectory(tmp_path / "half")
    with pytest.raises(InputError, match="half lacks"):
        find_robots(tmp_path, FRAMES)
    (place / "actions.csv").unlink()
    with pytest.raises(InputError, match="half lacks"):
        find_robots(tmp_path, 2)


def test_bundled_trajectories_are_small_and_long_enough() -> None:
    folder = ROOT / "examples" / "robots"
    examples = find_robots(folder, 2)
    assert [len(example.inputs[2]) for example in examples] == [14, 14, 14]
    for place in folder.iterdir():
        assert sum(file.stat().st_size for file in place.iterdir()) < 100_000
