"""What only the tests of training need."""

from collections.abc import Iterator

import pytest
from accelerate.state import AcceleratorState


@pytest.fixture(autouse=True)
def fresh_accelerator() -> Iterator[None]:
    """Accelerate keeps the precision of a process's first training, which none of the next may change."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
