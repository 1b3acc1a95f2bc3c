import sys
from pathlib import Path
from subprocess import run

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.plots import COLOURS, Rows, plot_compare, plot_psnr, plot_training


def rows(count: int, **columns: float) -> Rows:
    return [{"step": i, "loss": 1 / (1 + i), "KL": 2.0, "lr": 1e-3, **columns} for i in range(count)]


def drawn(path: Path, colour: str) -> int:
    """How many pixels of the figure have this colour."""
    picture: NDArray[np.uint8] = cv2.imread(str(path))
    return int((picture == colour_of(COLOURS.index(colour))).all(-1).sum())


def colour_of(index: int) -> NDArray[np.int64]:
    """Blue, green and red, as OpenCV reads them."""
    return np.array([int(COLOURS[index][i : i + 2], 16) for i in (5, 3, 1)])


def height(path: Path) -> int:
    return cv2.imread(str(path)).shape[0]


def test_a_training_has_a_panel_for_each_schedule_that_was_logged(tmp_path: Path) -> None:
    plot_training(rows(50), tmp_path / "one.png")
    plot_training(rows(50, kl_weight=0.1), tmp_path / "two.png")
    plot_training(rows(50, kl_weight=0.1, teacher_forcing=0.5), tmp_path / "three.png")
    heights = [height(tmp_path / f"{name}.png") for name in ("one", "two", "three")]
    assert heights[0] < heights[1] < heights[2]
    assert heights[2] - heights[1] == heights[1] - heights[0]


def test_a_comparison_shows_the_schedule_in_which_the_variants_differ(tmp_path: Path) -> None:
    same = {"kl_weight": 1.0, "teacher_forcing": 0.0}
    plot_compare({"a": rows(9, **same), "b": rows(12, **same)}, tmp_path / "none.png")
    plot_compare({"a": rows(9, **same), "b": rows(12, **same | {"kl_weight": 0.5})}, tmp_path / "weight.png")
    assert height(tmp_path / "weight.png") > height(tmp_path / "none.png")


def test_every_variant_has_a_colour_of_its_own(tmp_path: Path) -> None:
    plot_compare({str(i): rows(9 + i) for i in range(3)}, tmp_path / "compare.png")
    assert all(drawn(tmp_path / "compare.png", colour) > 50 for colour in COLOURS[:3])


def test_a_variant_of_few_steps_fills_the_axis_beside_one_of_many(tmp_path: Path) -> None:
    plot_compare({"fast": rows(900, kl_weight=1.0), "slow": rows(30, kl_weight=0.5)}, tmp_path / "compare.png")
    picture: NDArray[np.uint8] = cv2.imread(str(tmp_path / "compare.png"))
    weights = picture[len(picture) * 3 // 4 :]
    of_slow = np.flatnonzero((weights == colour_of(1)).all(-1).any(0))
    assert of_slow.max() > 0.9 * picture.shape[1]


def test_of_many_sequences_only_best_worst_and_mean_are_named(tmp_path: Path) -> None:
    plot_psnr({str(i): [30.0 + i] * 20 for i in range(30)}, tmp_path / "many.png")
    assert all(drawn(tmp_path / "many.png", colour) > 50 for colour in COLOURS[:3])
    assert drawn(tmp_path / "many.png", COLOURS[3]) == 0


@pytest.mark.parametrize(
    "values", [[], [1.0], [0.0, float("nan")], [float("inf")], [1.0, float("nan"), 0.5, -1.0]], ids=str
)
def test_a_training_that_went_wrong_is_drawn_too(tmp_path: Path, values: list[float]) -> None:
    logged = [{"step": i, "loss": value, "kl_weight": 0.0} for i, value in enumerate(values)]
    plot_training(logged, tmp_path / "training.png")
    plot_compare({"broken": logged, "fine": rows(3)}, tmp_path / "compare.png")
    assert height(tmp_path / "training.png") > 100


def test_names_are_no_formulas_and_lengths_may_differ(tmp_path: Path) -> None:
    plot_psnr({"_hidden": [30.0], "$\\frac": [31.0, 29.0, 30.0], "empty": []}, tmp_path / "psnr.png")
    assert all(drawn(tmp_path / "psnr.png", colour) > 10 for colour in COLOURS[:2])


def test_a_figure_needs_no_display_and_matplotlib_is_loaded_only_for_it() -> None:
    code = (
        "import sys; import training.plots as plots; assert 'matplotlib' not in sys.modules; "
        "plots._panels(['loss']); assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = run([sys.executable, "-c", code], env={"PATH": ""}, cwd=Path(__file__).parents[2], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
