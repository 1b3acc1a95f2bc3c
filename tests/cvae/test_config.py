import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvae.config import Config, DataConfig, Lab4Config, ModelConfig, PoseCVAEConfig, config_from_json, config_to_json
from cvae.errors import InputError


def edited(edit: Callable[[dict[str, Any]], object]) -> str:
    raw = json.loads(config_to_json(Config()))
    edit(raw)
    return json.dumps(raw)


@pytest.mark.parametrize(
    "model",
    [
        PoseCVAEConfig(patch_size=2, widths=(16, 48), attention_levels=(1,), latent_channels=3),
        Lab4Config(latent_channels=8, sigmoid=True, running_statistics=True),
    ],
)
def test_a_config_survives_json(model: ModelConfig) -> None:
    config = Config(model=model, data=DataConfig(height=64, width=128))
    assert config_from_json(config_to_json(config)) == config


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda raw: raw["model"].pop("widths"), "lacks model.widths"),
        (lambda raw: raw.pop("sampling"), "lacks sampling"),
        (lambda raw: raw["model"].update(depth=3), "model.depth"),
        (lambda raw: raw["model"].update(widths="many"), "model.widths"),
        (lambda raw: raw["model"].update(widths=[8, 10**9]), "multiples of 16 from 16 to 512"),
        (lambda raw: raw["model"].update(widths=[8] * 100), "2 to 6 levels"),
        (lambda raw: raw["model"].update(family="gan"), r"model\.family: .*'gan'.*'pose_cvae', 'lab4'"),
        (lambda raw: raw["model"].pop("family"), r"model\.family"),
        (lambda raw: raw["model"].update(family="lab4"), r"model\.patch_size"),
        (lambda raw: raw.update(model={"family": "lab4", "frame_channels": 10**9}), "frame_channels is 8 to 512"),
        (lambda raw: raw.update(model={"family": "lab4"}), r"lacks model\.frame_channels"),
        (lambda raw: raw["model"].update(attention_levels=[]), "attention_levels are one or more"),
        (lambda raw: raw["model"].update(attention_levels=[1, 1]), "attention_levels are one or more different"),
        (lambda raw: raw["data"].update(height=10**6), "height is 8 to 1024 pixels"),
        (lambda raw: raw["data"].update(height=36), "multiples of 8 pixels"),
        (lambda raw: raw.update(format=7), "has format 7"),
    ],
)
def test_a_config_that_is_not_ours_is_refused_by_name(edit: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config_from_json(edited(edit))


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(InputError, match="is not JSON"):
        config_from_json("[" * 90_000)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_text_raises_anything_but_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        config_from_json(text)
