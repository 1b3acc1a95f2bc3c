from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from tests.conftest import moving_square, write_pictures
from tests.web.robots import own_rows
from web.steering import MOST_GIVEN, MOST_STEPS, Files, Trip, read_start, steered_rows

SIZE = (16, 16)
WORKSPACE = ((-0.22, -0.16, 0.01), (0.22, 0.14, 0.2))


def tables(trajectory: Path) -> tuple[Path, ...]:
    return trajectory / "actions.csv", trajectory / "endeffector_positions.csv"


def pictures(trajectory: Path, count: int) -> tuple[Path, ...]:
    return tuple(trajectory / f"{number}.png" for number in range(count))


def test_start_is_the_given_frames_with_their_rows(trajectory: Path) -> None:
    start = read_start((pictures(trajectory, 3), tables(trajectory)), size=SIZE, past_frames=2)
    assert np.array_equal(start.given, moving_square(3, *SIZE)[0])
    assert start.rows == pytest.approx(own_rows(3))


def test_of_a_whole_trajectory_the_beginning_is_taken(trajectory: Path) -> None:
    everything = (*pictures(trajectory, 6), *tables(trajectory))
    assert len(read_start(((), everything), size=SIZE, past_frames=2).given) == 2


def test_chosen_frames_are_all_given_though_they_have_as_many_rows(trajectory: Path) -> None:
    start = read_start((pictures(trajectory, 6), tables(trajectory)), size=SIZE, past_frames=2)
    assert np.array_equal(start.given, moving_square(6, *SIZE)[0])
    assert np.array_equal(start.rows, own_rows(6))


def test_nothing_but_the_beginning_is_kept_in_memory(trajectory: Path) -> None:
    start = read_start(((), (*pictures(trajectory, 6), *tables(trajectory))), size=SIZE, past_frames=2)
    assert start.given.base is None and start.rows.base is None


def test_nothing_needs_to_be_left_to_predict(trajectory: Path, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "two.csv", own_rows(2), delimiter=",")
    start = read_start((pictures(trajectory, 2), (tmp_path / "two.csv",)), size=SIZE, past_frames=2)
    assert len(start.given) == len(start.rows) == 2


def wrong_files(trajectory: Path, tmp_path: Path) -> dict[str, tuple[Files, str]]:
    np.savetxt(tmp_path / "one.csv", own_rows(1), delimiter=",")
    many = write_pictures(tmp_path / "many", moving_square(MOST_GIVEN + 1, *SIZE)[0])
    np.savetxt(tmp_path / "many.csv", own_rows(MOST_GIVEN + 2), delimiter=",")
    return {
        "no rows": ((pictures(trajectory, 2), ()), "begins where the hand is .* or click an example"),
        "no frames": (((), tables(trajectory)), "There are no given frames; expected 2 or more"),
        "one frame": ((pictures(trajectory, 1), tables(trajectory)), "There are 1 given frames; .* needs 2"),
        "few rows": ((pictures(trajectory, 2), (tmp_path / "one.csv",)), "2 given frames and 1 rows of actions"),
        "many frames": ((tuple(many.iterdir()), (tmp_path / "many.csv",)), "begins with at most 100"),
    }


@pytest.mark.parametrize("what", ["no rows", "no frames", "one frame", "few rows", "many frames"])
def test_without_a_beginning_it_is_said_what_is_missing(what: str, trajectory: Path, tmp_path: Path) -> None:
    files, message = wrong_files(trajectory, tmp_path)[what]
    with pytest.raises(InputError, match=message):
        read_start(files, size=SIZE, past_frames=2)


def test_rows_are_those_of_a_hand_that_goes_as_commanded_until_it_is_stopped() -> None:
    rows = steered_rows(own_rows(2), [(0.03, 0, -0.05, 1.0), (0, 0, -0.08, 0.2)], WORKSPACE)
    expected = [
        [0.01, 0, 0, 0.5, 0, 0, 0.1],
        [0.03, 0, -0.05, 1, 0.01, 0, 0.1],
        [0, 0, -0.08, 0.2, 0.04, 0, 0.05],
        [0, 0, -0.08, 0.2, 0.04, 0, 0.01],
    ]
    assert rows == pytest.approx(np.array(expected)) and rows.dtype == np.float32


def test_rows_without_a_step_are_those_given() -> None:
    assert np.array_equal(steered_rows(own_rows(2), [], WORKSPACE), own_rows(2))


def test_steps_are_taken_undone_and_begun_anew() -> None:
    trip = Trip(files=((), ())).step((1.0,)).step((2.0,))
    assert trip.actions == ((1.0,), (2.0,))
    assert trip.undo().actions == ((1.0,),)
    assert (trip.restart().actions, trip.restart().run) == ((), trip.run)


def test_there_are_no_more_steps_than_allowed_and_no_fewer_than_none() -> None:
    trip = Trip(files=((), ()), actions=((0.0,),) * (MOST_STEPS - 1)).step((1.0,))
    with pytest.raises(InputError, match="100 steps, the most"):
        trip.step((1.0,))
    with pytest.raises(InputError, match="no step to undo"):
        trip.restart().undo()
