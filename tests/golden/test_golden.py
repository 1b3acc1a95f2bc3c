import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.golden.make_golden import GOLDEN


def test_losses_and_frames_are_those_of_the_golden_run(tmp_path: Path) -> None:
    made = tmp_path / "made.npz"
    command = [sys.executable, "-m", "tests.golden.make_golden", str(made)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True)
    with np.load(GOLDEN) as expected, np.load(made) as found:
        np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-3)
        np.testing.assert_allclose(found["frames"], expected["frames"], atol=2e-3)
