import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cvae.checkpoint import Checkpoint, load_checkpoint
from cvae.config import Config, Lab4Config
from cvae.device import has_bf16
from cvae.errors import InputError
from cvae.models import PoseCVAE, build_model
from cvae.rollout import rollout


def test_saved_and_loaded_weights_give_bit_equal_frames(
    tiny_checkpoint: Path, tiny_model: PoseCVAE, tiny_config: Config
) -> None:
    loaded = load_checkpoint(tiny_checkpoint)
    assert loaded.config == tiny_config
    assert loaded.name == "tiny"
    poses = torch.rand(1, 4, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    tiny_model.to(memory_format=torch.channels_last)
    for ours, theirs in zip(
        rollout(tiny_model, poses[:, :1], poses), rollout(loaded.model, poses[:, :1], poses), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_training_json_is_for_people_and_not_needed(tiny_checkpoint: Path) -> None:
    assert json.loads((tiny_checkpoint / "training.json").read_text()) == {"step": 0}
    (tiny_checkpoint / "training.json").unlink()
    load_checkpoint(tiny_checkpoint)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(tiny_checkpoint: Path, name: str) -> None:
    (tiny_checkpoint / name).unlink()
    with pytest.raises(InputError, match=f"has no {name}"):
        load_checkpoint(tiny_checkpoint)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 100, b"{}"])
def test_foreign_files_are_refused(tiny_checkpoint: Path, content: bytes) -> None:
    (tiny_checkpoint / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="is not a safetensors file"):
        load_checkpoint(tiny_checkpoint)
    (tiny_checkpoint / "config.json").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.json"):
        load_checkpoint(tiny_checkpoint)


def test_a_tensor_that_does_not_fit_is_named(tiny_checkpoint: Path) -> None:
    path = tiny_checkpoint / "model.safetensors"
    tensors = load_file(path)
    save_file(tensors | {"latent_in.weight": torch.zeros(4, 4)}, path)
    with pytest.raises(InputError, match=r"latent_in.weight has shape \(4, 4\), expected \(16, 2, 1, 1\)"):
        load_checkpoint(tiny_checkpoint)
    save_file({k: v for k, v in tensors.items() if k != "latent_in.weight"}, path)
    with pytest.raises(InputError, match=r"latent_in\.weight is missing"):
        load_checkpoint(tiny_checkpoint)
    save_file(tensors | {"extra": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="extra is not part of the network"):
        load_checkpoint(tiny_checkpoint)


def test_at_full_speed_is_bfloat16_where_the_processor_has_it_but_the_labs_network_stays_exact(
    tiny_checkpoint: Path,
) -> None:
    sizes = Lab4Config(frame_channels=16, label_channels=8, latent_channels=4, decoder_channels=16)
    lab = Checkpoint("lab", Config(model=sizes), build_model(sizes)).at_full_speed("cpu")
    ours = load_checkpoint(tiny_checkpoint).at_full_speed("cpu")
    expected = torch.bfloat16 if has_bf16("cpu") else torch.float32
    for checkpoint, dtype in ((lab, torch.float32), (ours, expected)):
        tensors = checkpoint.model.state_dict().values()
        assert {weights.dtype for weights in tensors if weights.is_floating_point()} == {dtype}
