import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cvae.checkpoint import load_checkpoint
from cvae.config import Lab4Config
from cvae.errors import InputError
from cvae.generate import GenerateConfig, generate_file
from cvae.import_lab4 import ImportLab4Config, main
from cvae.models import Lab4CVAE
from cvae.rollout import rollout
from tests.conftest import drawn, moving_square, write_pictures

ROOT = Path(__file__).parents[2]
SIZES = {"frame_channels": 16, "label_channels": 4, "latent_channels": 8, "decoder_channels": 24}
Weights = OrderedDict[str, Tensor]


def weights() -> Weights:
    """Of a small network of the lab, with statistics as after some training."""
    torch.manual_seed(0)
    model = Lab4CVAE(Lab4Config(**SIZES)).train()
    model.encode_conditions(None, torch.rand(2, 3, 3, 16, 32))
    return OrderedDict(model.state_dict())


def save(path: Path, state: object, **others: object) -> Path:
    """A file with the entries that the lab's trainer writes."""
    torch.save({"state_dict": state, "optimizer": state, "lr": 1e-3, "tfr": 0.25, "last_epoch": 42} | others, path)
    return path


def edited(edit: Callable[[Weights], object]) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        state = weights()
        edit(state)
        return save(path, state)

    return make


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save(tmp_path / "lab.ckpt", weights())


@pytest.mark.parametrize("sigmoid", [False, True])
@pytest.mark.parametrize("running", [False, True])
def test_the_folder_gives_the_frames_that_the_weights_give(file: Path, running: bool, sigmoid: bool) -> None:
    out = file.parent / "imported"
    main(ImportLab4Config(file=file, out=out, sigmoid=sigmoid, running_stats=running))
    loaded = load_checkpoint(out)
    model = Lab4CVAE(Lab4Config(**SIZES, sigmoid=sigmoid, running_statistics=running)).eval()
    model.load_state_dict(weights())
    assert loaded.config.model == model.config
    poses = torch.rand(1, 3, 3, 16, 32, generator=torch.Generator().manual_seed(1))
    for ours, theirs in zip(
        *(rollout(m, poses[:, :1], poses) for m in (model, loaded.model)),  # type: ignore[arg-type]
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_every_tensor_arrives_with_its_values_and_type(file: Path) -> None:
    main(ImportLab4Config(file=file, out=file.parent / "imported"))
    arrived = load_checkpoint(file.parent / "imported").model.state_dict()
    assert arrived["label_transformation.2.num_batches_tracked"].item() == 3
    for name, tensor in weights().items():
        assert arrived[name].dtype == tensor.dtype
        assert torch.equal(arrived[name], tensor)


def test_latents_are_drawn_and_people_learn_where_it_came_from(file: Path) -> None:
    main(ImportLab4Config(file=file, out=file.parent / "imported"))
    assert load_checkpoint(file.parent / "imported").config.sampling.sample == "prior"
    told = json.loads((file.parent / "imported" / "training.json").read_text())
    assert told == {"source": "lab.ckpt", "lr": 1e-3, "tfr": 0.25, "last_epoch": 42}


def test_what_the_file_does_not_tell_is_left_open(file: Path) -> None:
    save(file, weights(), lr=float("nan"), tfr=[1], last_epoch=None)
    main(ImportLab4Config(file=file, out=file.parent / "imported"))
    told = json.loads((file.parent / "imported" / "training.json").read_text())
    assert told == {"source": "lab.ckpt", "lr": None, "tfr": None, "last_epoch": None}


def test_a_learning_rate_that_no_float_holds_is_left_open(tmp_path: Path) -> None:
    main(ImportLab4Config(file=save(tmp_path / "lab.ckpt", weights(), lr=10**400), out=tmp_path / "imported"))
    assert json.loads((tmp_path / "imported" / "training.json").read_text())["lr"] is None


def test_weights_in_half_precision_are_read(file: Path) -> None:
    half = {k: v.half() if v.is_floating_point() else v for k, v in weights().items()}
    main(ImportLab4Config(file=save(file, half), out=file.parent / "imported"))
    arrived = load_checkpoint(file.parent / "imported").model.state_dict()
    assert torch.equal(arrived["Generator.7.bias"], half["Generator.7.bias"].float())


def test_the_folder_generates_a_video(file: Path) -> None:
    out = file.parent / "imported"
    main(ImportLab4Config(file=file, out=out))
    frames, poses = moving_square(4, 32, 64)
    first = write_pictures(file.parent / "first", frames[:1]) / "0.png"
    folder = write_pictures(file.parent / "poses", poses)
    for seed in (0, 1):
        video = file.parent / f"{seed}.gif"
        generate_file(GenerateConfig(first_frame=first, poses=folder, out=video, seed=seed), load_checkpoint(out))
    assert (file.parent / "0.gif").read_bytes() != (file.parent / "1.gif").read_bytes()


def test_the_lab_s_own_answers_come_from_an_imported_folder(evaluation_data: Path, tmp_path: Path) -> None:
    lab = evaluation_data / "lab4_checkpoint"
    expected = np.load(lab / "expected.npz")
    main(ImportLab4Config(file=lab / "random.ckpt", out=tmp_path / "imported", sigmoid=True))
    model: Any = load_checkpoint(tmp_path / "imported").model
    pose = torch.from_numpy(expected["poses"][1:2]).movedim(-1, 1).float() / 255
    first = torch.from_numpy(expected["first_frame"][None]).movedim(-1, 1).float() / 255
    (context,) = model.encode_conditions(None, pose[None])
    frame = drawn(model, model.encode_step(context, first), torch.from_numpy(expected["latents"][:1]))
    torch.testing.assert_close(frame[0], torch.from_numpy(expected["frames_batch_sigmoid"][0]), atol=1e-5, rtol=0)


class Hostile:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def hostile(path: Path) -> Path:
    return save(path, weights(), lr=Hostile(os.mkdir, str(path.parent / "was-run")))


def greedy(path: Path) -> Path:
    """Allowed by torch's own weights-only reader: a bytearray of 100 GB."""
    return save(path, weights(), lr=Hostile(bytearray, 100 * 10**9))


def beyond(path: Path) -> Path:
    """A tensor that claims more bytes than lie in the file."""
    rewrite(save(path, OrderedDict(a=torch.zeros(4096)), optimizer=None), b"M\x00\x10", b"J\x00\x00\x00\x10", b"")
    return path


def rewrite(path: Path, old: bytes, new: bytes, padding: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if name.endswith("data.pkl"):
                assert old in content
                content = content.replace(old, new) + padding
            archive.writestr(name, content)


def padded(path: Path) -> Path:
    """Little on disk, much in memory."""
    save(path, weights())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(20_000_000))
    return path


def bare_pickle(path: Path) -> Path:
    path.write_bytes(pickle.dumps({"state_dict": {}}))
    return path


def flipped(path: Path) -> Path:
    """One bit of a weight is not as it was saved."""
    content = bytearray(save(path, weights()).read_bytes())
    place = content.find(weights()["Generator.7.bias"].numpy().tobytes())
    assert place > 0
    content[place] ^= 1
    path.write_bytes(content)
    return path


def unfolding(path: Path) -> Path:
    """A small file that is half a gigabyte unpacked."""
    save(path, weights())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data/999", "w") as member:
        for _ in range(9):
            member.write(bytes(64 * 2**20))
    return path


def deflated(path: Path) -> Path:
    """Whole and with right checksums, but not as it would be mapped."""
    with zipfile.ZipFile(save(path, weights())) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def cut(path: Path) -> Path:
    save(path, weights())
    path.write_bytes(path.read_bytes()[:50_000])
    return path


NAN = torch.full((3,), torch.nan)
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "hostile": (hostile, r'asks for ".*\.mkdir", which weights do not need; nothing in it was run'),
    "greedy": (greedy, r'asks for ".*bytearray"'),
    "numpy": (lambda path: save(path, weights(), lr=np.float64(1)), r'asks for "_codecs\.encode"'),
    "beyond": (beyond, "is damaged, or no checkpoint of the lab"),
    "padded": (padded, "lists 20,000,000 bytes of names"),
    "flipped": (flipped, "is damaged, or no checkpoint as torch.save writes it"),
    "unfolding": (unfolding, "is damaged, or no checkpoint as torch.save writes it"),
    "deflated": (deflated, "is damaged, or no checkpoint as torch.save writes it"),
    "bare pickle": (bare_pickle, "is damaged, or no checkpoint as torch.save writes it"),
    "cut": (cut, "is damaged, or no checkpoint as torch.save writes it"),
    "a tensor": (lambda path: torch.save(NAN, path) or path, "it has no state_dict"),
    "weights alone": (lambda path: torch.save(weights(), path) or path, "it has no state_dict"),
    "numbered": (lambda path: save(path, {0: NAN}), "it has no state_dict with the weights by name"),
    "no tensor": (edited(lambda w: w.update({"Generator.7.bias": 3})), r'no tensor as "Generator\.7\.bias"'),
    "missing": (edited(lambda w: w.pop("Generator.7.bias")), r"16/4/8/24 channels: Generator\.7\.bias is missing"),
    "size missing": (edited(lambda w: w.pop("Decoder_Fusion.5.weight")), r"Decoder_Fusion\.5\.weight is missing"),
    "flat": (edited(lambda w: w.update({"Decoder_Fusion.5.weight": NAN})), r"has shape \(3,\), expected four"),
    "misshaped": (
        edited(lambda w: w.update({"Generator.7.bias": torch.zeros(4)})),
        r"Generator\.7\.bias has shape \(4,\), expected \(3,\)",
    ),
    "extra": (edited(lambda w: w.update(extra=NAN)), "extra is not part of the network"),
    "not a number": (
        edited(lambda w: w.update({"Generator.7.bias": NAN})),
        r"in Generator\.7\.bias that are no numbers",
    ),
    "too large for a float": (
        edited(lambda w: w.update({"Generator.7.bias": torch.full((3,), 1e300, dtype=torch.float64)})),
        r"in Generator\.7\.bias that are no numbers",
    ),
    "huge": (
        edited(lambda w: w.update({"Decoder_Fusion.5.weight": torch.zeros(1).expand(10**6, 1, 1, 1)})),
        "decoder_channels is 8 to 512; got 1000000",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_checkpoint_of_the_lab_is_refused_in_a_sentence_and_leaves_nothing(
    name: str, tmp_path: Path
) -> None:
    make, message = REFUSED[name]
    (tmp_path / "in").mkdir()
    file = make(tmp_path / "in" / "lab.ckpt")
    with pytest.raises(InputError, match=message) as caught:
        main(ImportLab4Config(file=file, out=tmp_path / "imported"))
    assert str(file) in str(caught.value)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "in", file]


def test_a_file_too_large_for_such_a_network_is_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "lab.ckpt").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(InputError, match="has 1,000,000,000 bytes; expected at most 536,870,912"):
        main(ImportLab4Config(file=tmp_path / "lab.ckpt", out=tmp_path / "imported"))


def test_a_full_disk_leaves_nothing_half_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        main(ImportLab4Config(file=file, out=file.parent / "imported"))
    assert list(file.parent.iterdir()) == [file]


def test_the_command_line_imports_and_refuses_with_exit_code_2(file: Path) -> None:
    out = file.parent / "imported"
    command = [sys.executable, "-m", "cvae", "import-lab4", str(file), "--out", str(out), "--running-stats"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(out) in done.stdout
    assert json.loads((out / "config.json").read_text())["model"]["running_statistics"]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 2
    assert again.stderr == f"Error: {out} already exists and is not an empty folder; give a new one.\n"
