from dataclasses import replace

from cvae.checkpoint import Checkpoint
from web.served import Served
from web.title import title


def test_title_names_the_model_and_what_must_be_known_of_it(checkpoint: Checkpoint) -> None:
    named = replace(checkpoint, name="alice/<b>@0123456789ab")
    assert "Model: alice/&lt;b&gt;@0123456789ab, 32x16 pixels.</p>" in title([Served(named)])
    assert "pixels. It is a copy &amp; old.</p>" in title([Served(named, "It is a copy & old.")])


def test_title_says_what_each_kind_of_model_is_given(checkpoint: Checkpoint, robot: Checkpoint) -> None:
    assert "a picture of a person" in title([Served(checkpoint)])
    assert "its actions, or steer it" in title([Served(robot)])
    both = title([Served(robot), Served(checkpoint)])
    assert "Models: robot, 16x16 pixels (robot); tiny, 32x16 pixels (person).</p>" in both
