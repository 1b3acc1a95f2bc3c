import numpy as np
import pytest

from cvae.cli import run_options
from training.puppets.fit_mocap import RECORDED_FPS, find_period, fit_cycle, main, read_motion, read_skeleton, waves
from training.puppets.moves import curves

SKELETON = """:units
:root
  order TX TY TZ RX RY RZ
:bonedata
  begin
     id 1
     name thigh
     direction 0 -1 0
     length 2
     axis 0 0 0 XYZ
     dof rx ry rz
  end
  begin
     id 2
     name shin
     direction 0 -1 0
     length 3
     axis 0 0 90 XYZ
     dof rx
  end
:hierarchy
  begin
    root thigh
    thigh shin
  end
"""
MOTION = ":DEGREES\n1\nroot 1 10 0 0 0 0\nthigh 90 0 0\nshin 0\n2\nroot 1 10 0 0 0 0\nthigh 0 0 0\nshin 90\n"


def test_recorded_angles_place_the_bones(tmp_path):
    (tmp_path / "a.asf").write_text(SKELETON)
    (tmp_path / "a.amc").write_text(MOTION)
    ends, _ = read_motion(tmp_path / "a.amc", read_skeleton(tmp_path / "a.asf"))
    # A quarter turn about x takes down to backward; the shin's own x axis points up, so it cannot move its end.
    assert ends["thigh"] == pytest.approx(np.array([[1, 10, -2], [1, 8, 0]]), abs=1e-9)
    assert ends["shin"] == pytest.approx(np.array([[1, 10, -5], [1, 5, 0]]), abs=1e-9)


def test_cycle_is_found_again():
    times = np.arange(3 * RECORDED_FPS) / RECORDED_FPS
    channels = np.sin(2 * np.pi * times[:, None] / 0.9 + np.arange(36)) + 0.3
    series, period = fit_cycle(channels)
    assert find_period(channels) == round(0.9 * RECORDED_FPS)
    assert period == pytest.approx(0.9)
    assert waves(times / period) @ series == pytest.approx(channels, abs=1e-6)


def test_stored_curves_name_their_source():
    assert "CMU Graphics Lab Motion Capture Database" in curves()["source"]


def test_folder_without_recordings_ends_in_one_sentence(tmp_path, capsys):
    (tmp_path / "02.asf").write_text(SKELETON)
    with pytest.raises(SystemExit) as ended:
        run_options(main, "fit_mocap", ["--recordings", str(tmp_path)])
    assert ended.value.code == 2
    assert f"Error: {tmp_path} lacks 02_01.amc, " in capsys.readouterr().err
