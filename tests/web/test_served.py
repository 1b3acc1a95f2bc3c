from dataclasses import replace

import pytest

from cvae.checkpoint import Checkpoint
from cvae.config import SVGConfig
from cvae.errors import InputError
from web.served import Served


def test_kind_is_whom_the_model_predicts(checkpoint: Checkpoint, robot: Checkpoint) -> None:
    assert [Served(model).kind for model in (checkpoint, robot)] == ["person", "robot"]
    assert Served(checkpoint).width_by_height == "32x16"


@pytest.mark.parametrize(("condition", "numbers"), [("actions", 5), ("keypoints", 7)])
def test_a_model_that_is_told_other_numbers_is_refused(robot: Checkpoint, condition: str, numbers: int) -> None:
    model = robot.config.model
    assert isinstance(model, SVGConfig)
    options = replace(model.options, condition=condition)
    other = replace(model, options=options, low=(0.0,) * numbers, high=(1.0,) * numbers)
    with pytest.raises(InputError, match=f"robot is told {numbers} numbers with every frame; the page reads"):
        Served(replace(robot, config=replace(robot.config, model=other)))
