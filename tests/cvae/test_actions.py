import re
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import pytest

from cvae.actions import Actions, read_actions, to_conditions
from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits
from tests.cvae.media import blocks, encoded, png_header, save_animation, save_zip

ROWS = np.random.default_rng(0).normal(size=(5, 7)).round(3).astype(np.float32)
FRAMES = blocks(5, 16, 16)
SIZE = (16, 16)


def csv(table: np.ndarray) -> bytes:
    return "".join(",".join(f"{value:.3f}" for value in row) + "\n" for row in table).encode()


ACTIONS, POSITIONS = csv(ROWS[:, :4]), csv(ROWS[:, 4:])


def members(pictures: int = 5, **changes: bytes | None) -> dict[str, bytes]:
    """A trajectory of the lab: file names and contents; a change of None leaves a file out."""
    whole: dict[str, bytes | None] = {"actions.csv": ACTIONS, "endeffector_positions.csv": POSITIONS}
    whole |= {f"{number}.png": encoded(FRAMES[number]) for number in range(pictures)}
    return {name: content for name, content in (whole | changes).items() if content is not None}


def save(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths


def as_folder(tmp_path: Path, contents: dict[str, bytes]) -> Path:
    save(tmp_path / "robot", contents)
    return tmp_path / "robot"


def as_zip(tmp_path: Path, contents: dict[str, bytes]) -> Path:
    return save_zip(tmp_path / "robot.zip", contents)


def as_zip_with_a_folder(tmp_path: Path, contents: dict[str, bytes]) -> Path:
    return save_zip(tmp_path / "robot.zip", {f"traj/12/{name}": content for name, content in contents.items()})


def as_files(tmp_path: Path, contents: dict[str, bytes]) -> list[Path]:
    return save(tmp_path / "robot", contents)[::-1]


FORMS = [as_folder, as_zip, as_zip_with_a_folder, as_files]


def read(path: Path | list[Path], **options: Limits) -> Actions:
    return read_actions(path, size=SIZE, **options)


def test_a_frame_is_told_what_was_done_before_it() -> None:
    conditions = to_conditions(ROWS)
    assert np.array_equal(conditions[1:], ROWS[:-1])
    assert np.array_equal(conditions[0], ROWS[0])


def test_one_table_has_actions_and_then_positions(tmp_path: Path) -> None:
    (path,) = save(tmp_path, {"anything.txt": csv(ROWS)})
    came = read(path)
    assert np.array_equal(came.rows, ROWS) and came.rows.dtype == np.float32
    assert came.video is None and came.notes == ()


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv"), ("positions.csv", "actions.csv")])
def test_two_tables_are_told_apart_by_their_columns_not_by_their_names(tmp_path: Path, names: tuple[str, str]) -> None:
    paths = save(tmp_path, dict(zip(names, (ACTIONS, POSITIONS), strict=True)))
    for order in (paths, paths[::-1]):
        assert np.array_equal(read(order).rows, ROWS)


@pytest.mark.parametrize("form", FORMS)
def test_a_trajectory_brings_its_frames(tmp_path: Path, form: Callable[..., Path | list[Path]]) -> None:
    came = read(form(tmp_path, members()))
    assert np.array_equal(came.rows, ROWS)
    assert came.video is not None and np.array_equal(came.video.frames, FRAMES)
    assert came.notes == ()


@pytest.mark.parametrize("form", FORMS)
def test_a_trajectory_may_come_without_pictures_or_with_the_first_alone(
    tmp_path: Path, form: Callable[..., Path | list[Path]]
) -> None:
    assert read(form(tmp_path, members(0))).video is None
    came = read(form(tmp_path, members(2)))
    assert came.video is not None and np.array_equal(came.video.frames, FRAMES[:2])


def test_pictures_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    frames = blocks(12, 16, 16)
    pictures = {f"{number}.png": encoded(frame) for number, frame in enumerate(frames)}
    came = read(as_folder(tmp_path, {"all.csv": csv(np.ones((12, 7)))} | pictures))
    assert came.video is not None and np.array_equal(came.video.frames, frames)


def test_pictures_are_resized_and_that_is_told(tmp_path: Path) -> None:
    came = read_actions(as_folder(tmp_path, members()), size=(8, 8))
    assert came.video is not None and came.video.frames.shape == (5, 8, 8, 3)
    assert came.video.notes == ('The frames of "robot" are resized from 16x16 to 8x8 (width x height).',)


def test_every_picture_is_counted(tmp_path: Path) -> None:
    told = []
    read_actions(as_folder(tmp_path, members(3)), size=SIZE, watch=lambda *counts: told.append(counts))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_hidden_files_do_not_count_and_others_are_told(tmp_path: Path) -> None:
    extra = {".DS_Store": b"\0\1", "._actions.csv": b"\0", "sound.mp4": b"\0\0\0\x18ftypmp42"}
    assert read(as_folder(tmp_path, members() | extra)).notes == (
        'Left out of "robot", being no pictures: "sound.mp4".',
    )


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (members(**{"actions.csv": None}), '"endeffector_positions.csv" has 3 numbers a row and stands alone; '),
        (members(**{"endeffector_positions.csv": None}), '"actions.csv" has 4 numbers a row and stands alone; '),
        (
            members(**{"actions.csv": POSITIONS}),
            '"actions.csv" has 3 numbers a row and "endeffector_positions.csv" has 3 numbers a row; ',
        ),
        (
            members(**{"actions.csv": csv(ROWS[:4, :4])}),
            '"actions.csv" has 4 rows and "endeffector_positions.csv" has 5 rows; expected as many in both',
        ),
        (members(**{"actions.csv": csv(ROWS[:, :5])}), 'The lines of "actions.csv" have 5 numbers; expected 3, 4 or 7'),
        (
            members(**{"actions.csv": b"1,2,3,4\n1,2,3\n"}),
            'Line 2 of "actions.csv" has 3 numbers; expected 4, as in line 1',
        ),
        (members(**{"more.csv": ACTIONS}), "holds 3 texts ("),
        (members(**{"actions.csv": None, "endeffector_positions.csv": None}), "holds no table; expected a table (CSV)"),
        (members(**{"5.png": encoded(FRAMES[0])}), "has 6 pictures and 5 rows of actions; expected at least as many"),
        (members(**{"2.png": None}), "has no picture 2 between 1 and 3; expected one for every row"),
        (members(**{"0.png": None, "1.png": None}), "begin with number 2; expected 0."),
        (members(**{"2.png": b"\x89PNG\r\n\x1a\n"}), '"2.png" is damaged and cannot be read as a picture'),
        (members(**{"2.png": png_header(20_000, 10)}), '"2.png" is 20000x10 pixels; at most 16384 on a side'),
    ],
)
@pytest.mark.parametrize("form", [as_folder, as_zip])
def test_what_does_not_belong_together_is_said(
    tmp_path: Path, contents: dict[str, bytes], sentence: str, form: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        read(form(tmp_path, contents))


def test_an_animation_among_the_pictures_is_refused(tmp_path: Path) -> None:
    folder = as_folder(tmp_path, members(2))
    save_animation(folder / "2.gif", FRAMES)
    with pytest.raises(InputError, match=r'"2\.gif" is animated; expected still pictures'):
        read(folder)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.png", encoded(FRAMES[0]), '"a.png" is a PNG picture; expected a table (CSV) of 7 numbers a row'),
        ("a.json", b"[1, 2]", '"a.json" is a JSON text; expected a table (CSV)'),
        ("a.csv", b"\x00\x01\x02", '"a.csv" is no file that we know; expected a table (CSV)'),
        ("a.csv", b"", '"a.csv" is empty (0 bytes).'),
        ("a.csv", b"hello", '"a.csv" has no numbers in it'),
        ("a.csv", b" " * 3_000_000, '"a.csv" has 3,000,000 bytes; expected a table of at most 2000 rows'),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (path,) = save(tmp_path, {name: content})
    with pytest.raises(InputError, match="^" + re.escape(sentence)):
        read(path)


def test_nothing_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No file came; expected a table \(CSV\)"):
        read([])
    with pytest.raises(InputError, match=r'There is no file "a\.csv"'):
        read(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r'"empty" holds no table; expected a table'):
        (tmp_path / "empty").mkdir()
        read(tmp_path / "empty")


# Hostile zips


def test_a_zip_of_two_trajectories_is_refused(tmp_path: Path) -> None:
    both = {f"{name}/{file}": content for name in "ab" for file, content in members(1).items()}
    with pytest.raises(InputError, match=r'"robot\.zip" holds 4 texts'):
        read(as_zip(tmp_path, both))
    apart = {"a/actions.csv": ACTIONS, "b/positions.csv": POSITIONS}
    with pytest.raises(InputError, match=r'"robot\.zip" lie in several folders; expected one trajectory'):
        read(as_zip(tmp_path, apart))


def test_a_table_that_unpacks_to_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(40_000)
    path = save_zip(tmp_path / "robot.zip", {"actions.csv": b"1,2,3,4\n" * 400_000, "noise": noise}, ZIP_DEFLATED)
    with pytest.raises(InputError, match=r'"actions\.csv" has 3,200,000 bytes; expected a table'):
        read(path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = save_zip(tmp_path / "robot.zip", {"actions.csv": b"0" * 20_000_000}, ZIP_DEFLATED)
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        read(path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    many = {f"{number}.txt": b"1" for number in range(LIMITS.max_entries + 1)}
    with pytest.raises(InputError, match="holds more than the 4000 files"):
        read(as_zip(tmp_path, many))


def test_a_name_that_leads_elsewhere_is_only_a_name(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    path = as_zip(tmp_path / "inner", {"../actions.csv": ACTIONS, "../positions.csv": POSITIONS})
    assert np.array_equal(read(path).rows, ROWS)
    assert [file.name for file in tmp_path.rglob("*")] == ["inner", "robot.zip"]


def test_a_zip_in_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = as_zip(tmp_path, members()).read_bytes()
    with pytest.raises(InputError, match=r'"robot\.zip" holds no table'):
        read(as_zip(tmp_path, {"inner.zip": inner}))


def test_a_damaged_zip_is_said(tmp_path: Path) -> None:
    path = as_zip(tmp_path, members())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r'"robot\.zip" is a damaged zip'):
        read(path)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(max_frames=4), "has more than the 4 frames"),
        (Limits(max_total_pixels=1000), "have more than the 1000 pixels"),
        (Limits(max_kept_pixels=1000), "needs memory for more than the 1000 pixels"),
        (Limits(max_seconds=0), "took more than the 0 seconds"),
    ],
)
def test_limits_hold_for_pictures(tmp_path: Path, limits: Limits, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(as_folder(tmp_path, members()), limits=limits)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = as_zip(tmp_path, members())
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="is protected by a password"):
        read(path)
