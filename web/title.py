"""What stands above everything: what the page is for, and which models it serves."""

import html
from collections.abc import Sequence

from web.served import Served

_PERSON = (
    "Give a picture of a person and a sequence of poses: the model predicts the video in which this person takes these "
    "poses."
)
_ROBOT = (
    "Give the first frames of a robot and its actions, or steer it step by step: the model predicts the video of what "
    "it does."
)
_BOTH = (
    "Give a picture of a person and a sequence of poses, or the first frames of a robot and its actions: a model "
    "predicts the video."
)


def title(models: Sequence[Served]) -> str:
    """The page's title, as HTML."""
    kinds = {model.kind for model in models}
    sentence = _BOTH if len(kinds) > 1 else _ROBOT if "robot" in kinds else _PERSON
    named = [f"{html.escape(model.name)}, {model.width_by_height} pixels" for model in models]
    if len(models) > 1:
        named = [f"{text} ({model.kind})" for text, model in zip(named, models, strict=True)]
    notes = [html.escape(model.note) for model in models if model.note]
    label = "Model" if len(models) == 1 else "Models"
    told = " ".join([f"{label}: {'; '.join(named)}.", *notes])
    return f'<h1>Marionette</h1><p>{sentence}</p><p id="model">{told}</p>'
