import numpy as np

from tests.golden.make_golden import GOLDEN, make_golden


def test_losses_and_frames_are_those_of_the_golden_run() -> None:
    with np.load(GOLDEN) as expected:
        made = make_golden()
        np.testing.assert_allclose(made["losses"], expected["losses"], rtol=1e-3)
        np.testing.assert_allclose(made["frames"], expected["frames"], atol=2e-3)
