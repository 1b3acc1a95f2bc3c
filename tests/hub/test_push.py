import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvae.checkpoint import load_checkpoint, save_checkpoint
from cvae.config import Config
from cvae.errors import InputError
from cvae.export import write_gif
from cvae.models import Model
from cvae.runs import step_folder
from hub.push import PushConfig, push
from tests.hub.conftest import hub_env
from tests.hub.robot import save_robot
from tests.hub.server import HubServer

ROOT = Path(__file__).parents[2]
KINDS = ("psnr", "ssim", "copying", "drift", "competition")


@pytest.fixture
def run(tmp_path: Path, tiny_config: Config, tiny_model: Model) -> Path:
    """A run with two checkpoints, of which the first is the better one, and all that must stay at home."""
    run = tmp_path / "runs" / "walk"
    for step, score in ((10, 31.5), (20, 30.0)):
        options = {"data": "me", "out": "walk", "init_from": str(tmp_path / "before"), "recipe": {"seed": 0}}
        training = {"options": options, "step": step, "validation_psnr": score, "code": "abc"}
        save_checkpoint(step_folder(run, step), tiny_config, tiny_model, training)
        write_gif(step_folder(run, step) / "sample.gif", np.zeros((2, 16, 96, 3), np.uint8), 20)
        (step_folder(run, step) / "state").mkdir()
        (step_folder(run, step) / "state" / "state.pt").write_bytes(b"optimizer")
    (run / "metrics.jsonl").write_text("{}\n")
    (run / "training.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    return run


def write_results(folder: Path, checkpoint: str, **changes: Any) -> Path:
    """A folder as evaluate writes it."""
    folder.mkdir()
    told = {kind: {"mean": 25.5, "sequences": {"0": 25.5}} for kind in KINDS}
    about = {"checkpoint": checkpoint, "split": "test", "sample": "mean", "seed": 0}
    frames = {"frames": {"0": {"psnr": [25.0, 26.0], "ssim": [0.9, 0.9]}}}
    (folder / "results.json").write_text(json.dumps(about | told | frames | changes))
    (folder / "submission.csv").write_text("id\n")
    (folder / "psnr.png").write_bytes(b"\x89PNG\r\n\x1a\n\0psnr")
    write_gif(folder / "0.gif", np.zeros((80, 16, 96, 3), np.uint8), 20)
    return folder


def push_to(repo: str, checkpoint: Path, **options: Any) -> None:
    push(PushConfig(checkpoint=checkpoint, repo=repo, **options))


def test_a_run_is_published_as_its_best_checkpoint_and_nothing_else(hub_here: HubServer, run: Path) -> None:
    push_to("alice/walk", run)
    files = hub_here.files("alice/walk")
    expected = {"README.md", "config.json", "model.safetensors", "training.json", "training.png", "sample.gif"}
    assert files.keys() - {".gitattributes"} == expected
    for name in ("config.json", "model.safetensors"):
        assert files[name] == (step_folder(run, 10) / name).read_bytes()
    assert hub_here.head("alice/walk").title == "Step 10, validation PSNR 31.50 dB"


def test_a_checkpoint_in_which_a_run_lies_is_published_as_itself(hub_here: HubServer, run: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(step_folder(run, 10) / name, run / name)
    push_to("alice/walk", run)
    assert "training.json" not in hub_here.files("alice/walk")


def test_a_checkpoint_that_no_training_left_a_sample_of_shows_a_generated_dancer(
    hub_here: HubServer, run: Path
) -> None:
    (step_folder(run, 10) / "sample.gif").unlink()
    push_to("alice/walk", run)
    files = hub_here.files("alice/walk")
    assert len(files["sample.gif"]) > 50_000
    assert "A generated dancer, one of the examples" in files["README.md"].decode()


def test_one_push_is_one_commit_and_the_same_again_is_none(hub_here: HubServer, run: Path) -> None:
    hub_here.create("alice/walk")
    before = len(hub_here.history("alice/walk"))
    push_to("alice/walk", run)
    assert len(hub_here.history("alice/walk")) == before + 1
    push_to("alice/walk", run)
    assert len(hub_here.history("alice/walk")) == before + 1


def test_no_byte_that_is_published_tells_the_token_or_a_folder_of_the_machine(
    hub_here: HubServer, run: Path, tmp_path: Path
) -> None:
    push_to("alice/walk", run)
    for name, content in hub_here.files("alice/walk").items():
        for secret in (hub_here.token, str(tmp_path), str(Path.home()) + "/", str(ROOT)):
            assert secret.encode() not in content, name
    options = json.loads(hub_here.files("alice/walk")["training.json"])["options"]
    assert options["init_from"] == "before"


@pytest.mark.parametrize("what", ["token", "folder"])
def test_a_secret_in_a_file_keeps_all_of_it_at_home(hub_here: HubServer, run: Path, what: str) -> None:
    secret = {"token": hub_here.token, "folder": f"see {run}/notes"}[what]
    path = step_folder(run, 10) / "training.json"
    path.write_text(json.dumps({"step": 10, "validation_psnr": 40.0, "note": secret}))
    with pytest.raises(InputError, match=f"training.json .* a {what} of th.*nothing was published") as caught:
        push_to("alice/walk", run)
    assert secret not in str(caught.value)
    assert len(hub_here.requests) == 0


@pytest.mark.parametrize("note", ["{cwd}base/x", "my{cwd}", "hf_short", "https://example.org{cwd}s"])
def test_what_only_resembles_a_secret_is_published(
    hub_here: HubServer, run: Path, tmp_path: Path, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    training = {"step": 10, "validation_psnr": 40.0, "note": "x" + note.format(cwd=tmp_path)}
    (step_folder(run, 10) / "training.json").write_text(json.dumps(training))
    push_to("alice/walk", run)
    assert json.loads(hub_here.files("alice/walk")["training.json"]) == training


def test_results_of_the_checkpoint_are_published_with_it(hub_here: HubServer, run: Path, tmp_path: Path) -> None:
    push_to("alice/walk", run, results=write_results(tmp_path / "results", "walk/step_000010"))
    files = hub_here.files("alice/walk")
    assert json.loads(files["results.json"])["psnr"]["mean"] == 25.5
    assert {"psnr.png", "sample.gif"} < files.keys() and "submission.csv" not in files
    assert "| **mean of 1** |  | **25.50** |" in files["README.md"].decode()


def test_results_of_a_robot_are_published_with_the_figure_of_its_steps(hub_here: HubServer, tmp_path: Path) -> None:
    robot = save_robot(tmp_path / "robot")
    best = {kind: {"mean": 28.25, "sequences": {"0": 28.25}} for kind in ("best", "best_ssim")}
    steps = {"steps": {kind: {"mean": [26.0, 25.0], "spread": [0.0, 0.0]} for kind in ("psnr", "ssim", "copying")}}
    none = {"drift": {"mean": None, "sequences": {"0": None}}}
    results = write_results(tmp_path / "results", "robot", samples=100, **best, **steps, **none)
    (results / "psnr.png").rename(results / "steps.png")
    push_to("alice/push", robot, results=results)
    files = hub_here.files("alice/push")
    assert {"results.json", "steps.png", "sample.gif"} < files.keys() and "psnr.png" not in files
    card = files["README.md"].decode()
    assert "![Scores of every frame](steps.png)" in card
    assert "| **mean of 1** |  | **25.50** | **25.5000** | **28.25** | **28.2500** | **25.50** |" in card
    assert "samples of what is predicted from its first 2 frames" in card
    push_to("alice/push", robot)
    assert "steps.png" not in hub_here.files("alice/push")


def test_results_of_another_checkpoint_are_refused(hub_here: HubServer, run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"results of walk/step_000020; expected those of walk/step_000010"):
        push_to("alice/walk", run, results=write_results(tmp_path / "results", "walk/step_000020"))


@pytest.mark.parametrize("fault", [{"psnr": None}, {"psnr": {"mean": "good", "sequences": {}}}, {"frames": 3}])
def test_results_that_evaluate_did_not_write_are_refused(
    hub_here: HubServer, run: Path, tmp_path: Path, fault: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=f"is not what evaluate writes: {next(iter(fault))}"):
        push_to("alice/walk", run, results=write_results(tmp_path / "results", "walk/step_000010", **fault))


def test_what_an_earlier_push_left_goes_and_what_others_put_there_stays(
    hub_here: HubServer, run: Path, tmp_path: Path
) -> None:
    push_to("alice/walk", run, results=write_results(tmp_path / "results", "walk/step_000010"))
    hub_here.commit("alice/walk", {"NOTES.md": "mine"})
    push_to("alice/walk", run)
    files = hub_here.files("alice/walk")
    assert "results.json" not in files and "psnr.png" not in files
    assert files["NOTES.md"] == b"mine"


def test_a_branch_is_made_and_main_stays(hub_here: HubServer, run: Path) -> None:
    push_to("alice/walk", run, branch="better")
    assert "model.safetensors" in hub_here.files("alice/walk", "better")
    assert "model.safetensors" not in hub_here.files("alice/walk", "main")
    assert "--checkpoint alice/walk@better" in hub_here.files("alice/walk", "better")["README.md"].decode()


def test_private_is_private_from_the_first_moment(hub_here: HubServer, run: Path) -> None:
    push_to("alice/walk", run, private=True)
    assert hub_here.repo("alice/walk").settings.private


def test_nothing_private_goes_to_a_public_repository(hub_here: HubServer, run: Path) -> None:
    hub_here.create("alice/walk")
    with pytest.raises(InputError, match="is there already and public, so nothing was published"):
        push_to("alice/walk", run, private=True)
    assert "model.safetensors" not in hub_here.files("alice/walk")


def test_a_push_between_ours_is_not_mixed_with_it(hub_here: HubServer, run: Path, tmp_path: Path) -> None:
    """The same config as before would be left out of our commit, while another one had come in its place."""
    push_to("alice/walk", run)
    ours = (step_folder(run, 10) / "config.json").read_bytes()
    (run / "training.png").write_bytes(b"\x89PNG\r\n\x1a\n\0newer")
    theirs: dict[str, str | bytes | None] = {"config.json": "{}", "model.safetensors": b"\0" * 2000}
    hub_here.faults.before("POST .*/commit/", lambda: hub_here.commit("alice/walk", theirs) and None)
    push_to("alice/walk", run)
    files = hub_here.files("alice/walk")
    assert files["config.json"] == ours
    assert files["model.safetensors"] == (step_folder(run, 10) / "model.safetensors").read_bytes()


@pytest.mark.parametrize("place", ["POST .*/commit/", "POST .*/preupload/"])
def test_a_push_that_fails_leaves_the_repository_as_it_was(hub_here: HubServer, run: Path, place: str) -> None:
    hub_here.create("alice/walk")
    before = hub_here.history("alice/walk")
    hub_here.faults.answer(place, 403, message="read only")
    with pytest.raises(InputError, match="The Hub forbids this for alice/walk"):
        push_to("alice/walk", run)
    assert hub_here.history("alice/walk") == before


def test_a_licence_that_the_hub_does_not_know_is_told(hub_here: HubServer, run: Path) -> None:
    with pytest.raises(InputError, match=r'The Hub refuses the card of alice/walk: - "license" must be one of'):
        push_to("alice/walk", run, license="mine")


def test_a_connection_that_is_cut_is_told_in_a_sentence(hub_here: HubServer, run: Path) -> None:
    hub_here.create("alice/walk")
    before = hub_here.history("alice/walk")
    hub_here.faults.cut_request("POST .*/commit/", after=100)
    with pytest.raises(InputError, match="The connection to the Hub was cut"):
        push_to("alice/walk", run)
    assert hub_here.history("alice/walk") == before


def test_a_hub_that_says_nothing_is_given_up(hub_here: HubServer, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.client.SECONDS_OF_SILENCE", 0.5)
    hub_here.faults.delay("POST /api/repos/create", 5.0)
    with pytest.raises(InputError, match="The Hub did not answer in time"):
        push_to("alice/walk", run)


def test_storage_that_refuses_a_file_is_told_as_what_it_is(hub_here: HubServer, run: Path) -> None:
    hub_here.faults.answer("PUT /contents/", 403, message="no room")
    with pytest.raises(InputError, match="The Hub forbids this for alice/walk"):
        push_to("alice/walk", run)


@pytest.mark.parametrize(
    ("repo", "fault"),
    [("alice", "cannot be the name"), ("alice/walk@v1", "cannot be the name"), ("bob/walk", "forbids")],
)
def test_repositories_that_cannot_be_written_are_refused(hub_here: HubServer, run: Path, repo: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        push_to(repo, run)


def test_what_is_no_checkpoint_is_refused_before_anybody_is_asked(hub_here: HubServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no checkpoint: it has no config\.json"):
        push_to("alice/walk", tmp_path)
    assert len(hub_here.requests) == 0


def test_the_command_line_publishes_by_xet_in_one_commit_and_tells_it(
    hub_server: HubServer, run: Path, tmp_path: Path
) -> None:
    hub_server.enable_xet()
    command = [sys.executable, "-m", "hub", "push", str(run), "alice/walk", "--private", "--message", "Mine"]
    environment = hub_env(hub_server, tmp_path, hub_server.token, xet=True)
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    files = hub_server.files("alice/walk")
    assert files["model.safetensors"] == (step_folder(run, 10) / "model.safetensors").read_bytes()
    assert len(hub_server.history("alice/walk")) == 2
    head = hub_server.head("alice/walk")
    assert told.stdout.strip().endswith(f"/alice/walk/commit/{head.id}")
    assert head.title == "Mine"
    assert hub_server.token not in told.stdout + told.stderr


def test_a_wrong_token_ends_the_command_with_one_sentence(
    hub_here: HubServer, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "hf_" + "x" * 34
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(sys, "argv", ["hub", "push", str(run), "alice/walk"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("hub", run_name="__main__")
    told = "".join(capsys.readouterr())
    assert told.splitlines()[-1].startswith("Error: The Hub does not accept your token")
    assert token not in told


def test_what_was_published_is_the_same_network(hub_here: HubServer, run: Path, tmp_path: Path) -> None:
    push_to("alice/walk", run)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, content in hub_here.files("alice/walk").items():
        (copy / name).write_bytes(content)
    ours, theirs = load_checkpoint(run), load_checkpoint(copy)
    assert ours.config == theirs.config
    weights = theirs.model.state_dict()
    assert all(tensor.equal(weights[name]) for name, tensor in ours.model.state_dict().items())
