from cvae.checkpoint import Checkpoint
from web.served import Served


def test_kind_is_whom_the_model_predicts(checkpoint: Checkpoint, robot: Checkpoint) -> None:
    assert [Served(model).kind for model in (checkpoint, robot)] == ["person", "robot"]
    assert Served(checkpoint).width_by_height == "32x16"
