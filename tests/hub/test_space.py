import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio
import pytest
from gradio_client import Client, handle_file
from huggingface_hub import SpaceCard

import app
from cvae.errors import InputError
from cvae.poses.weights import PoseWeights
from hub import space_folder
from hub.pull import fetch_checkpoint
from hub.space import SpaceConfig, space
from hub.space_folder import ROOT
from tests.hub.conftest import hub_env
from tests.hub.robot import save_robot
from tests.hub.server import HubServer

TRAINING_ALONE = ("accelerate", "imageio", "matplotlib", "tensorboard", "torchmetrics", "torchvision", "webdataset")


@pytest.fixture
def model(hub_server: HubServer, tiny_checkpoint: Path) -> str:
    hub_server.create("alice/walk")
    return hub_server.upload("alice/walk", tiny_checkpoint)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def published(server: HubServer) -> dict[str, bytes]:
    return {name: file for name, file in server.files("alice/page", kind="spaces").items() if name != ".gitattributes"}


def write(folder: Path, **options: object) -> Path:
    space(SpaceConfig(**{"space": "alice/page", "model": "alice/walk@v1", "dry_run": folder, **options}))  # type: ignore[arg-type]
    return folder


# The folder ---------------------------------------------------------------------------------------------


def test_the_front_matter_tells_the_hub_how_to_run_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "space", hardware="zero-a10g")
    told = SpaceCard.load(folder / "README.md").data.to_dict()
    assert {name: told[name] for name in ("sdk", "app_file", "models", "license", "suggested_hardware")} == {
        "sdk": "gradio",
        "app_file": "app.py",
        "models": ["alice/walk"],
        "license": "mit",
        "suggested_hardware": "zero-a10g",
    }
    assert told["sdk_version"] == gradio.__version__
    assert told["python_version"] == "3.12"
    assert "FROM python:3.12-" in (ROOT / "Dockerfile").read_text()
    assert len(told["short_description"]) <= 60
    assert not [name for name in contents(folder) if "__pycache__" in name or "training" in name or "tests" in name]


def test_a_docker_space_is_built_from_the_dockerfile_for_its_hardware(tmp_path: Path) -> None:
    cpu, gpu = write(tmp_path / "cpu", sdk="docker"), write(tmp_path / "gpu", sdk="docker", hardware="t4-small")
    told = SpaceCard.load(cpu / "README.md").data.to_dict()
    assert (told["sdk"], told["app_port"]) == ("docker", 7860)
    assert "sdk_version" not in told
    assert (cpu / "Dockerfile").read_bytes() == (ROOT / "Dockerfile").read_bytes()
    assert (cpu / ".dockerignore").is_file()
    assert (cpu / "requirements-page.txt").is_file()
    (index,) = re.findall(r"^ARG TORCH_INDEX=(.*)$", (gpu / "Dockerfile").read_text(), re.MULTILINE)
    assert "cpu" not in index


def test_the_page_requires_what_the_project_does_in_the_same_versions_and_gradio_is_left_to_the_hub() -> None:
    page = (ROOT / "requirements-page.txt").read_text().splitlines()
    assert set(page) < set((ROOT / "requirements.txt").read_text().splitlines())
    assert {line for line in page if line not in space_folder.gradio_requirements().splitlines()} == {"gradio>=6.31,<7"}


def test_the_networks_that_find_poses_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.tflite", "b.tflite"):
        (tmp_path / name).write_text(name)
    networks = PoseWeights(detector=tmp_path / "a.tflite", landmarks=tmp_path / "b.tflite")
    for found, files in ((networks, {"a.tflite": b"a.tflite", "b.tflite": b"b.tflite"}), (None, {})):
        monkeypatch.setattr(space_folder, "present_weights", lambda found=found: found)
        folder = write(tmp_path / f"space{len(files)}")
        assert contents(folder / "weights" / "blazepose") == files


def test_a_space_has_all_that_serves_a_person_and_a_robot_and_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "space")
    files = contents(folder)
    for kind in ("cvae", "hub", "web", "examples"):
        ours = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / kind).rglob("*") if path.is_file()}
        needed = {name for name in ours if "__pycache__" not in name and "/." not in name}
        assert needed <= files.keys()
    text = (folder / "README.md").read_text()
    assert "of a person, from one picture and a sequence of poses" in text
    assert "or of a\nrobot, from the first frames and its actions" in text
    assert sum(map(len, files.values())) < 30_000_000


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"space": "page"}, '"page" cannot be the name of a Space; expected user/name'),
        ({"model": "walk"}, '"walk" cannot be the name of a model'),
        ({"hardware": "T4 small"}, "expected a name such as"),
        ({"hardware": "zero-a10g", "sdk": "docker"}, "runs Gradio Spaces only"),
        ({"private_model_token_from_env": True}, "SPACE_HF_TOKEN or HF_TOKEN; neither is set"),
    ],
)
def test_what_no_space_can_have_is_refused(
    options: dict[str, object], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(InputError, match=fault):
        write(tmp_path / "space", **options)
    assert not (tmp_path / "space").exists()


# On the Hub ---------------------------------------------------------------------------------------------


def test_a_space_becomes_what_the_dry_run_writes_and_stays_so(
    hub_here: HubServer, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space(SpaceConfig(space="alice/page", model="alice/walk", hardware="cpu-upgrade"))
    assert capsys.readouterr().out == f"{hub_here.url}/spaces/alice/page\n"
    settings = hub_here.repo("alice/page", "spaces").settings
    assert (settings.sdk, settings.hardware) == ("gradio", "cpu-upgrade")
    assert hub_here.variables("alice/page") == {"MODEL_ID": "alice/walk"}
    assert hub_here.secrets("alice/page") == {}
    first, commits = published(hub_here), len(hub_here.history("alice/page", kind="spaces"))
    space(SpaceConfig(space="alice/page", model="alice/walk", hardware="cpu-upgrade", dry_run=tmp_path / "space"))
    assert contents(tmp_path / "space") == first
    space(SpaceConfig(space="alice/page", model="alice/walk", hardware="cpu-upgrade"))
    assert published(hub_here) == first
    assert len(hub_here.history("alice/page", kind="spaces")) == commits


def test_an_update_deletes_what_no_longer_belongs_in_the_same_commit(hub_here: HubServer, model: str) -> None:
    space(SpaceConfig(space="alice/page", model="alice/walk", sdk="docker"))
    hub_here.commit("alice/page", {"old/thing.py": "x"}, kind="spaces")
    commits = len(hub_here.history("alice/page", kind="spaces"))
    hub_here.set_page_size(7)
    space(SpaceConfig(space="alice/page", model=f"alice/walk@{model}"))
    assert len(hub_here.history("alice/page", kind="spaces")) == commits + 1
    names = published(hub_here).keys()
    assert not names & {"old/thing.py", "Dockerfile", ".dockerignore", "requirements-page.txt"}
    assert "requirements.txt" in names
    assert ".gitattributes" in hub_here.files("alice/page", kind="spaces")
    assert hub_here.variables("alice/page") == {"MODEL_ID": f"alice/walk@{model}"}


def test_a_private_model_takes_a_token_that_is_a_secret_and_nowhere_else(
    hub_here: HubServer, tiny_checkpoint: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_here.create("alice/secret", private=True)
    hub_here.upload("alice/secret", tiny_checkpoint)
    with pytest.raises(InputError, match="--private-model-token-from-env"):
        space(SpaceConfig(space="alice/page", model="alice/secret"))
    space(SpaceConfig(space="alice/page", model="alice/secret", private_model_token_from_env=True))
    assert hub_here.secrets("alice/page") == {"HF_TOKEN": hub_here.token}
    assert not any(hub_here.token.encode() in file for file in published(hub_here).values())
    reading = hub_here.add_user("alice", role="read")
    monkeypatch.setenv("SPACE_HF_TOKEN", reading)
    space(SpaceConfig(space="alice/page", model="alice/secret", private_model_token_from_env=True))
    assert hub_here.secrets("alice/page") == {"HF_TOKEN": reading}
    said = "".join(capfd.readouterr())
    assert hub_here.token not in said
    assert reading not in said


def test_a_space_serves_the_version_whose_name_is_shown(hub_here: HubServer, model: str) -> None:
    space(SpaceConfig(space="alice/page", model=f"alice/walk@{model[:12]}"))
    assert hub_here.variables("alice/page") == {"MODEL_ID": f"alice/walk@{model[:12]}"}
    assert fetch_checkpoint(hub_here.variables("alice/page")["MODEL_ID"]).commit == model


def test_the_page_names_a_model_that_does_not_fit_together_as_the_hub_does(hub_here: HubServer, model: str) -> None:
    commit = hub_here.commit("alice/walk", {"model.safetensors": b"none"})
    with pytest.raises(InputError, match=rf"^alice/walk@{commit[:12]}/model.safetensors is not"):
        app.open_page(app.Options(checkpoint="alice/walk", device="cpu"))


def test_a_refusal_of_the_hub_is_told_in_one_sentence(hub_here: HubServer, model: str) -> None:
    with pytest.raises(InputError, match=r"alice/none is not on the Hub, or it is private"):
        space(SpaceConfig(space="alice/page", model="alice/none"))
    with pytest.raises(InputError, match=r"bob/page"):
        space(SpaceConfig(space="bob/page", model="alice/walk"))
    hub_here.faults.answer("POST .*/hardware", 402, message="Add a payment method")
    with pytest.raises(InputError, match=r'402, "Add a payment method"'):
        space(SpaceConfig(space="alice/page", model="alice/walk", hardware="a100-large"))


def test_a_commit_that_is_refused_or_cut_leaves_the_space_as_it_was(hub_here: HubServer, model: str) -> None:
    space(SpaceConfig(space="alice/page", model="alice/walk"))
    before = published(hub_here)
    hub_here.faults.answer("POST .*/commit/", 412, message="A commit has happened since")
    with pytest.raises(InputError, match=r"changed by somebody else at the same time.*; try again"):
        space(SpaceConfig(space="alice/page", model="alice/walk", sdk="docker"))
    hub_here.faults.clear()
    hub_here.faults.cut_request("POST .*/commit/", after=1000)
    with pytest.raises(InputError, match="was cut"):
        space(SpaceConfig(space="alice/page", model="alice/walk", sdk="docker"))
    assert published(hub_here) == before


# Started ------------------------------------------------------------------------------------------------


@contextmanager
def started(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Start `app.py` in a folder as the Hub does, only on a free port: its address, and what it said when ready.

    What training alone needs cannot be imported there.
    """
    site = folder.parent / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"import sys; sys.modules.update(dict.fromkeys({TRAINING_ALONE}))")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = environment | {"SPACE_ID": "alice/page", "GRADIO_TEMP_DIR": str(folder.parent / "cache")}
    environment["PYTHONPATH"] = str(site)
    command = [sys.executable, "app.py", "--port", str(port), "--device", "cpu"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = next(iter(server.stdout), "")
            assert line.startswith(f"Marionette is ready on http://0.0.0.0:{port} "), line
            yield f"http://127.0.0.1:{port}", line
        finally:
            server.terminate()


def page_at(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
def test_the_folder_starts_without_the_rest_of_the_project_and_serves_the_model_under_its_commit(
    hub_server: HubServer, model: str, tmp_path: Path
) -> None:
    space(SpaceConfig(space="alice/page", model="alice/walk", dry_run=tmp_path / "space"))
    example = tmp_path / "space" / "examples" / "dancers" / "1-magenta-sweater"
    with started(tmp_path / "space", hub_env(hub_server, tmp_path)) as (url, line):
        name = f"alice/walk@{model[:12]}"
        assert f"({name}, 32x16 pixels, on cpu)" in line
        page = page_at(url)
        assert name in page
        assert "Examples: generated dancers" in page
        client = Client(url, verbose=False, download_files=str(tmp_path / "made"), analytics_enabled=False)
        *_, summary = client.predict(
            first_frame=handle_file(example / "first_frame.png"),
            poses=handle_file(example / "poses.webp"),
            api_name="/generate",
        )
        client.close()
    assert summary["frames"] > 50


@pytest.mark.slow
def test_the_folder_serves_a_robot_too(hub_server: HubServer, tmp_path: Path) -> None:
    hub_server.create("alice/push")
    hub_server.upload("alice/push", save_robot(tmp_path / "robot"))
    space(SpaceConfig(space="alice/page", model="alice/push", dry_run=tmp_path / "space"))
    example = sorted((tmp_path / "space" / "examples" / "robots").iterdir())[0]
    trajectory = shutil.make_archive(str(tmp_path / "trajectory"), "zip", example)
    with started(tmp_path / "space", hub_env(hub_server, tmp_path)) as (url, line):
        assert "16x16 pixels, on cpu)" in line
        client = Client(url, verbose=False, download_files=str(tmp_path / "made"), analytics_enabled=False)
        *_, summary = client.predict(frames=None, actions=handle_file(trajectory), api_name="/generate_robot")
        client.close()
    assert summary["frames"] == len(list(example.glob("*.png"))) - 2


@pytest.mark.slow
def test_a_space_whose_model_cannot_be_loaded_tells_why(hub_server: HubServer, tmp_path: Path) -> None:
    token = "hf_" + "x" * 34
    space(SpaceConfig(space="alice/page", model="alice/walk", dry_run=tmp_path / "space"))
    environment = hub_env(hub_server, tmp_path, token) | {"MODEL_ID": "alice/none"}
    with started(tmp_path / "space", environment) as (url, line):
        page = page_at(url)
        assert "The Hub does not accept your token" in page + line
        assert "MODEL_ID" in page
        assert token not in page + line
