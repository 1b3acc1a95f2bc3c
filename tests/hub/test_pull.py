"""Checkpoints from the Hub: the real client, the real server, and what can go wrong between them."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save, save_file

from cvae.checkpoint import BUNDLED, load_checkpoint
from cvae.errors import InputError
from hub.pull import PullConfig, fetch_checkpoint, local_checkpoint, open_checkpoint, pull
from tests.hub.conftest import hub_env
from tests.hub.robot import save_robot
from tests.hub.server import HubServer
from tests.hub.server.faults import Fault

WALK = "alice/walk"
ROOT = Path(__file__).parents[2]
PUBLISHED = ["config.json", "model.safetensors", "training.json"]


@pytest.fixture
def walk(hub_here: HubServer, tiny_checkpoint: Path) -> HubServer:
    """A Hub with the tiny checkpoint as `alice/walk`, asked by alice."""
    hub_here.create(WALK)
    hub_here.upload(WALK, tiny_checkpoint)
    return hub_here


def change(server: HubServer, folder: Path) -> str:
    """Publish other weights and another config, of the same sizes in bytes; gives the commit."""
    tensors = {name: tensor + 1 for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text((folder / "config.json").read_text().replace('"mean"', '"prior"'))
    return server.upload(WALK, folder)


def sha(server: HubServer, revision: str = "main") -> str:
    return server.head(WALK, revision).id


def same_weights(one: Path, other: Path) -> bool:
    return (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()


def refusal(reference: str = WALK) -> str:
    with pytest.raises(InputError) as refused:
        open_checkpoint(reference)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# Taking -------------------------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_as_it_was_published(walk: HubServer, tiny_checkpoint: Path) -> None:
    fetched = fetch_checkpoint(WALK)
    assert fetched.commit == sha(walk)
    assert fetched.name == f"alice/walk@{sha(walk)[:12]}"
    assert fetched.note is None
    assert sorted(path.name for path in fetched.folder.iterdir()) == PUBLISHED
    for name in PUBLISHED:
        assert (fetched.folder / name).read_bytes() == (tiny_checkpoint / name).read_bytes()
    assert fetched.load().name == fetched.name


def test_a_branch_a_tag_and_a_commit_name_their_own_versions(walk: HubServer, tiny_checkpoint: Path) -> None:
    first = sha(walk)
    walk.repo(WALK).set_ref("heads", "feature/arms", first)
    walk.repo(WALK).set_ref("tags", "v1", first)
    second = change(walk, tiny_checkpoint)
    assert fetch_checkpoint(f"{WALK}@feature/arms").commit == first
    assert fetch_checkpoint(f"{WALK}@v1").commit == first
    assert fetch_checkpoint(f"{WALK}@{first}").commit == first
    assert fetch_checkpoint(f"{WALK}@main").commit == second
    assert fetch_checkpoint(WALK).commit == second


def test_the_name_that_is_shown_of_a_version_is_taken_for_it(walk: HubServer, tiny_checkpoint: Path) -> None:
    first = fetch_checkpoint(WALK)
    walk.set_page_size(1)
    change(walk, tiny_checkpoint)
    again = fetch_checkpoint(first.name)
    assert (again.commit, again.name) == (first.commit, first.name)
    assert fetch_checkpoint(f"{WALK}@{str(first.commit)[:7]}").commit == first.commit


def test_the_name_of_a_version_on_another_branch_is_taken_for_it(walk: HubServer) -> None:
    walk.repo(WALK).set_ref("heads", "feature/arms", sha(walk))
    commit = walk.commit(WALK, {"NOTES.md": "other"}, branch="feature/arms")
    assert fetch_checkpoint(f"{WALK}@{commit[:12]}").commit == commit


def test_a_branch_that_is_called_like_a_commit_wins(walk: HubServer, tiny_checkpoint: Path) -> None:
    first = sha(walk)
    second = change(walk, tiny_checkpoint)
    walk.repo(WALK).set_ref("heads", first[:12], second)
    assert fetch_checkpoint(f"{WALK}@{first[:12]}").commit == second


def test_the_beginning_of_several_commits_is_refused(walk: HubServer) -> None:
    walk.faults.change("GET .*/commits/", lambda all: [one | {"id": f"0123456{i:033}"} for i, one in enumerate(all)])
    assert refusal(f"{WALK}@0123456") == "alice/walk@0123456 may be any of 2 commits; expected more digits."


@pytest.mark.parametrize("digits", ["0123456", "012345", "0123456789ab"])
def test_digits_that_begin_no_commit_are_told(walk: HubServer, digits: str) -> None:
    assert f"alice/walk@{digits} is not there: there is no such branch, tag or commit" in refusal(f"{WALK}@{digits}")


def test_only_the_files_of_a_checkpoint_are_taken(walk: HubServer) -> None:
    walk.commit(WALK, {"state/state.pt": "pickle", "step_000001/config.json": "{}", "custom.py": "", "more.bin": b"\0"})
    fetched = fetch_checkpoint(WALK)
    assert sorted(path.name for path in fetched.folder.iterdir()) == PUBLISHED
    asked = {seen.path.rsplit("/", 1)[1] for seen in walk.requests if "/resolve/" in seen.path}
    assert asked == set(PUBLISHED)


def test_a_folder_of_steps_in_the_cache_is_never_taken_for_the_model(walk: HubServer, tiny_checkpoint: Path) -> None:
    folder = fetch_checkpoint(WALK).folder
    shutil.copytree(tiny_checkpoint, folder / "step_000001")
    assert open_checkpoint(WALK).name == f"alice/walk@{sha(walk)[:12]}"


def test_training_json_may_be_missing(walk: HubServer) -> None:
    walk.commit(WALK, {"training.json": None})
    assert sorted(path.name for path in fetch_checkpoint(WALK).folder.iterdir()) == PUBLISHED[:2]


def test_all_files_are_from_one_commit_also_when_another_is_pushed_meanwhile(
    walk: HubServer, tiny_checkpoint: Path
) -> None:
    first, before = sha(walk), load_checkpoint(tiny_checkpoint)
    walk.faults.before("HEAD .*config.json", lambda: change(walk, tiny_checkpoint) and None)
    fetched = fetch_checkpoint(WALK)
    assert fetched.commit == first != sha(walk)
    assert fetched.load().config == before.config
    for name, weights in fetched.load().model.state_dict().items():
        assert torch.equal(weights, before.model.state_dict()[name])


def test_a_version_that_is_in_the_cache_is_not_sent_again(walk: HubServer) -> None:
    fetch_checkpoint(WALK)
    fetch_checkpoint(WALK)
    assert len(walk.requests.matching("GET .*/contents/")) == 1
    assert len(walk.requests.matching("GET .*/resolve/")) == 2


def test_a_new_version_is_taken_at_once(walk: HubServer, tiny_checkpoint: Path) -> None:
    fetch_checkpoint(WALK)
    new = change(walk, tiny_checkpoint)
    fetched = fetch_checkpoint(WALK)
    assert fetched.commit == new
    assert same_weights(fetched.folder, tiny_checkpoint)


def test_a_private_model_is_taken_with_the_token_of_its_owner_and_the_storage_never_sees_it(
    walk: HubServer, tiny_checkpoint: Path
) -> None:
    walk.repo(WALK).change_settings(private=True)
    assert same_weights(fetch_checkpoint(WALK).folder, tiny_checkpoint)  # the storage refuses who brings a token


def test_a_gated_model_is_taken_by_who_was_granted_access(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.repo(WALK).change_settings(gated="manual", granted=["bob"])
    monkeypatch.setenv("HF_TOKEN", walk.add_user("bob"))
    assert fetch_checkpoint(WALK).commit == sha(walk)


# What the Hub refuses is refused, also where a copy is in the cache ---------------------------------------------------


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("what", ["revoked", "gated", "deleted", "private", "no file"])
def test_a_refusal_is_not_answered_from_the_cache(
    walk: HubServer, what: str, cached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cached:
        fetch_checkpoint(WALK)
    commit = sha(walk)
    bob = walk.add_user("bob")
    expected = {
        "revoked": "does not accept your token",
        "gated": "is gated: ask for access on its page",
        "deleted": "is not on the Hub",
        "private": "private and not for you",
        "no file": "is no checkpoint of this project: it has no model.safetensors",
    }[what]
    match what:
        case "revoked":
            monkeypatch.setenv("HF_TOKEN", "hf_revokedrevokedrevoked")
        case "gated":
            walk.repo(WALK).change_settings(gated="manual")
            monkeypatch.setenv("HF_TOKEN", bob)
        case "deleted":
            shutil.rmtree(walk.repo(WALK).folder)
        case "private":
            walk.repo(WALK).change_settings(private=True)
            monkeypatch.setenv("HF_TOKEN", bob)
        case "no file":
            walk.commit(WALK, {"model.safetensors": None})
    assert expected in refusal()
    if what != "no file":
        assert expected in refusal(f"{WALK}@{commit}")


def test_a_mistyped_folder_is_told_that_it_is_neither(hub_here: HubServer) -> None:
    assert refusal("runs/mien").startswith('There is no folder "runs/mien", and runs/mien is not on the Hub')


def test_a_revision_that_is_not_there_is_named(walk: HubServer) -> None:
    fetch_checkpoint(WALK)
    assert "alice/walk@v9 is not there" in refusal(f"{WALK}@v9")


# Of a robot -----------------------------------------------------------------------------------------------------------

PUSH = "alice/push"


@pytest.fixture
def robot(hub_here: HubServer, tmp_path: Path) -> HubServer:
    """A Hub with a tiny robot's checkpoint as `alice/push`."""
    hub_here.create(PUSH)
    hub_here.upload(PUSH, save_robot(tmp_path / "robot"))
    return hub_here


def test_a_robot_comes_as_it_was_published(robot: HubServer, tmp_path: Path) -> None:
    pull(PullConfig(model=PUSH, out=tmp_path / "out"))
    ours, theirs = load_checkpoint(tmp_path / "robot"), load_checkpoint(tmp_path / "out")
    assert ours.config == theirs.config
    weights = theirs.model.state_dict()
    assert all(tensor.equal(weights[name]) for name, tensor in ours.model.state_dict().items())


HOSTILE = {
    "model.options.hidden_channels": (10**9, "hidden_channels is 8 to 1024; got 1000000000"),
    "model.options.widths": ([512] * 7, "widths has 1 to 6 levels"),
    "model.options.predictor_layers": (10**6, "predictor_layers is 1 to 4"),
    "model.options.latent_channels": (0, "latent_channels is 1 to 512"),
    "model.options.past_frames": (10**6, "past_frames is 1 to 100"),
    "model.options.prior": ("both", "model.options.prior: Input should be 'fixed' or 'learned'"),
    "model.options.condition": ("poses", "model.options.condition: Input should be"),
    "model.options.loss": (1, "model.options.loss: Unexpected keyword argument"),
    "model.coarsest": ([10**5, 10**5], "coarsest has sides of 1 to 8"),
    "model.low": ([-1.0] * 1001, "low has the 7 numbers of the condition actions; got 1001"),
    "model.high": ([1.0] * 6, "low and high are as many"),
    "model.prior": ("learned", "model.prior: Unexpected keyword argument"),
    "model.family": ("svg2", "model.family: Input tag 'svg2'"),
    "data.height": (32, "Frames of this network have 16x16 pixels"),
}


@pytest.mark.parametrize("key", HOSTILE)
def test_a_hostile_config_of_a_robot_is_refused_before_the_weights_are_asked_for(robot: HubServer, key: str) -> None:
    value, expected = HOSTILE[key]
    config = json.loads(robot.files(PUSH)["config.json"])
    *path, last = key.split(".")
    place = config
    for name in path:
        place = place[name]
    place[last] = value
    robot.commit(PUSH, {"config.json": json.dumps(config)})
    assert expected in refusal(PUSH)
    assert robot.requests.matching("GET /contents/") == []


@pytest.mark.parametrize("key", ["family", "low", "options.prior", "options.last_frame_skip"])
def test_a_config_of_a_robot_that_lacks_a_key_is_refused_by_its_name(robot: HubServer, key: str) -> None:
    config = json.loads(robot.files(PUSH)["config.json"])
    *path, last = key.split(".")
    del (config["model"][path[0]] if path else config["model"])[last]
    robot.commit(PUSH, {"config.json": json.dumps(config)})
    assert re.search(rf"lacks model\.{key}|model\.{key}: ", refusal(PUSH))


def test_weights_larger_than_the_largest_network_of_a_robot_are_never_fetched(robot: HubServer) -> None:
    sizes = {"feature_channels": 512, "latent_channels": 512, "hidden_channels": 1024, "widths": [512] * 6}
    config = json.loads(robot.files(PUSH)["config.json"])
    config["model"]["options"] |= sizes | {"predictor_layers": 4, "gaussian_layers": 4}
    config["model"] |= {"coarsest": [8, 8]}
    config["data"] = {"height": 512, "width": 512}
    robot.commit(PUSH, {"config.json": json.dumps(config)})
    robot.lie(PUSH, "model.safetensors", size=10**9)
    assert "its model.safetensors has 1,000,000,000 bytes; expected at most" in refusal(PUSH)
    assert robot.requests.matching("GET /contents/") == []


# Without the Hub ------------------------------------------------------------------------------------------------------


def cut_off(server: HubServer, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match how:
        case "offline":
            monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        case "down":
            server.stop()
        case "out of order":
            server.faults.answer("/api/models", 503)
        case "files out of order":
            server.faults.answer("HEAD", 503)
        case "slow":
            monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.2)
            server.faults.delay("/api/models", 1.0)
        case "cut":
            server.faults.cut_answer("/api/models", reset=True)


HOW = ["offline", "down", "out of order", "files out of order", "slow", "cut"]


@pytest.mark.parametrize("how", HOW)
def test_without_the_hub_the_copy_is_used_and_its_commit_told(
    walk: HubServer, tiny_checkpoint: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = fetch_checkpoint(WALK).commit
    assert first is not None
    change(walk, tiny_checkpoint)
    cut_off(walk, how, monkeypatch)
    fetched = local_checkpoint(WALK)
    assert fetched.commit == first
    assert fetched.note is not None
    assert fetched.note.endswith(
        f" A copy of alice/walk@{first[:12]} from the cache is used, which may be out of date."
    )
    assert fetched.note in caplog.text
    assert fetched.load().name == f"alice/walk@{first[:12]}"
    if how == "down":
        walk.start()


@pytest.mark.parametrize("how", ["offline", "out of order"])
def test_without_the_hub_and_a_copy_both_are_told(walk: HubServer, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(walk, how, monkeypatch)
    assert refusal().endswith(" alice/walk is neither in the cache nor a folder.")


def test_without_the_hub_a_commit_is_found_in_the_cache_and_never_out_of_date(
    walk: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = str(fetch_checkpoint(WALK).commit)
    cut_off(walk, "offline", monkeypatch)
    for revision in (commit, commit[:12]):
        found = fetch_checkpoint(f"{WALK}@{revision}")
        assert found.commit == commit
        assert found.note is not None and found.note.endswith(f"A copy of {WALK}@{commit[:12]} from the cache is used.")
    assert "is neither in the cache nor a folder" in refusal(f"{WALK}@v9")


def test_without_the_hub_a_damaged_copy_is_refused(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = fetch_checkpoint(WALK).folder / "model.safetensors"
    damage(weights)
    cut_off(walk, "offline", monkeypatch)
    assert "The copy of alice/walk in the cache is damaged" in refusal()


# Damage ---------------------------------------------------------------------------------------------------------------


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.resolve().write_bytes(content)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_copy_is_fetched_again(walk: HubServer, tiny_checkpoint: Path, name: str) -> None:
    damage(fetch_checkpoint(WALK).folder / name)
    assert (fetch_checkpoint(WALK).folder / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


def test_a_copy_that_lost_its_end_is_fetched_again(walk: HubServer, tiny_checkpoint: Path) -> None:
    weights = fetch_checkpoint(WALK).folder / "model.safetensors"
    weights.resolve().write_bytes(weights.read_bytes()[:-100])
    assert same_weights(fetch_checkpoint(WALK).folder, tiny_checkpoint)


def test_a_file_that_always_arrives_damaged_is_refused(walk: HubServer, tiny_checkpoint: Path) -> None:
    content = bytearray((tiny_checkpoint / "model.safetensors").read_bytes())
    content[-1] ^= 1
    walk.lie(WALK, "model.safetensors", content=bytes(content))
    assert "model.safetensors of alice/walk@" in refusal()
    assert "is damaged: it is not what the Hub promises" in refusal()


def test_a_cut_download_goes_on_where_it_was_cut(hub_here: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_here.create(WALK)
    hub_here.upload(WALK, BUNDLED)
    hub_here.faults.cut_answer("GET /contents/", after=3_000_000, times=1)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits before it goes on
    assert same_weights(fetch_checkpoint(WALK).folder, BUNDLED)
    again = hub_here.requests.matching("GET /contents/")[-1].headers["range"]
    assert 2_900_000 < int(again.removeprefix("bytes=").removesuffix("-")) <= 3_000_000


def test_after_a_download_that_broke_off_the_next_try_takes_all_of_it(walk: HubServer, tiny_checkpoint: Path) -> None:
    walk.faults.cut_answer("GET /contents/", after=1000, times=1, reset=True)
    assert "connection to the Hub was cut" in refusal()
    assert same_weights(fetch_checkpoint(WALK).folder, tiny_checkpoint)


def test_of_a_download_that_is_always_cut_nothing_is_ever_loaded(
    walk: HubServer, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch_checkpoint(WALK).commit
    change(walk, tiny_checkpoint)
    walk.faults.cut_answer("GET /contents/", after=1000, reset=True)
    assert "connection to the Hub was cut: check the network, and try again" in refusal()
    cut_off(walk, "offline", monkeypatch)
    assert fetch_checkpoint(WALK).commit == first  # what was whole still is; the rest was never remembered


def test_a_download_that_stops_ends_in_a_sentence(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits before it tries again
    walk.faults.stall_answer("GET /contents/", 1.0, after=0)
    assert "did not answer in time" in refusal()


# Hostile repositories -------------------------------------------------------------------------------------------------


def test_a_repository_of_another_project_is_refused_by_name(hub_here: HubServer) -> None:
    hub_here.create("bert/base")
    hub_here.commit("bert/base", {"config.json": '{"hidden_size": 768}', "model.safetensors": b"\0" * 100})
    assert refusal("bert/base").startswith("bert/base@")
    assert "config.json is not one of ours" in refusal("bert/base")


def test_a_repository_without_a_config_is_refused(hub_here: HubServer) -> None:
    hub_here.create(WALK)
    assert "is no checkpoint of this project: it has no config.json" in refusal()


def test_a_pickle_is_never_taken(walk: HubServer) -> None:
    walk.commit(WALK, {"model.safetensors": None, "pytorch_model.bin": b"\x80\x04boom"})
    assert "pytorch_model.bin is a pickle, which could run code and is never loaded" in refusal()
    assert walk.requests.matching("pytorch_model") == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("no JSON", "config.json is not JSON"),
        ("[" * 50_000, "config.json is not JSON"),
        (b"\xff\xfe", "config.json is not text"),
        ('{"format": 2}', "config.json has format 2"),
        ("{}", "config.json lacks format"),
    ],
)
def test_a_hostile_config_is_refused_before_the_weights_are_asked_for(
    walk: HubServer, config: bytes | str, expected: str
) -> None:
    walk.commit(WALK, {"config.json": config})
    assert expected in refusal()
    assert walk.requests.matching("GET /contents/") == []


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_what_strangers_wrote_makes_no_refusal_long_or_harmful(walk: HubServer, name: str) -> None:
    nasty = "\x1b[31m\n" + "x" * 90_000
    config = walk.files(WALK)["config.json"].decode().replace('"format"', f'{json.dumps(nasty)}: 1, "format"')
    content = config.encode() if name == "config.json" else save({nasty: torch.zeros(1)})
    walk.commit(WALK, {name: content})
    sentence = refusal()
    assert sentence.startswith(f"alice/walk@{sha(walk)[:12]}") and len(sentence) < 600
    assert sentence.isprintable()


def test_a_config_that_is_too_large_is_never_fetched(walk: HubServer) -> None:
    walk.commit(WALK, {"config.json": " " * 100_001})
    assert "is refused: its config.json has 100,001 bytes; expected at most 100,000" in refusal()
    assert walk.requests.matching("GET .*resolve") == []


def test_weights_that_are_larger_than_their_network_are_never_fetched(walk: HubServer) -> None:
    walk.lie(WALK, "model.safetensors", size=10**12)
    assert "is refused: its model.safetensors has 1,000,000,000,000 bytes; expected at most" in refusal()
    assert walk.requests.matching("GET /contents/") == []


def test_a_training_json_that_is_too_large_is_never_fetched(walk: HubServer) -> None:
    walk.commit(WALK, {"training.json": " " * 1_000_001})
    assert "is refused: its training.json has 1,000,001 bytes" in refusal()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_hub_that_sends_more_than_it_promised_is_stopped(walk: HubServer, name: str) -> None:
    walk.lie(WALK, name, content=b"x" * 50_000_000)
    assert f"of its {name}, the Hub sends more than" in refusal()
    kept = [path for path in Path(constants.HF_HUB_CACHE).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 100_000


def test_weights_that_do_not_fit_their_config_are_refused_by_name(walk: HubServer) -> None:
    text = walk.files(WALK)["config.json"].decode()
    walk.commit(WALK, {"config.json": text.replace('"latent_channels": 2', '"latent_channels": 3')})
    sentence = refusal()
    assert sentence.startswith(f"alice/walk@{sha(walk)[:12]}/model.safetensors does not fit its config.json: ")


def test_weights_that_are_no_safetensors_are_refused_by_name(walk: HubServer) -> None:
    walk.commit(WALK, {"model.safetensors": b"\x80\x04 a pickle under another name"})
    assert f"alice/walk@{sha(walk)[:12]}/model.safetensors is not a safetensors file" in refusal()


def test_a_file_of_unknown_size_is_bounded_all_the_same(walk: HubServer, tiny_checkpoint: Path) -> None:
    said = {"X-Repo-Commit": sha(walk), "ETag": '"of-no-hash"', "Transfer-Encoding": "chunked"}
    walk.faults.add(Fault("HEAD .*config.json", status=200, headers=said))
    walk.lie(WALK, "config.json", content=b" " * 200_000)
    assert "of its config.json, the Hub sends more than 100,000 bytes" in refusal()


@pytest.mark.parametrize("headers", [{"X-Repo-Commit": "../../../../evil"}, {"ETag": '"../../evil"'}, {}])
def test_headers_that_lead_elsewhere_are_refused(walk: HubServer, headers: dict[str, str], tmp_path: Path) -> None:
    said = {"X-Repo-Commit": sha(walk), "ETag": '"abc"', "Content-Length": "5"} if headers else {}
    walk.faults.answer("HEAD", 200, headers=said | headers, body=b"")
    assert "cannot be used" in refusal()
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("sha", ["../../evil", "main", "", None, "g" * 40])
def test_a_commit_that_is_none_is_refused(walk: HubServer, sha: str | None) -> None:
    walk.faults.answer("GET /api/models", 200, body={"id": WALK, "sha": sha, "siblings": []})
    assert "it names no commit" in refusal()


# Folders --------------------------------------------------------------------------------------------------------------


def test_a_folder_is_taken_as_it_is_and_the_hub_is_not_asked(walk: HubServer, tiny_checkpoint: Path) -> None:
    assert local_checkpoint(str(tiny_checkpoint)).folder == tiny_checkpoint
    assert open_checkpoint(tiny_checkpoint).name == "tiny"
    assert len(walk.requests) == 0


def test_a_folder_that_is_called_like_a_model_wins(
    walk: HubServer, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_checkpoint, tmp_path / WALK)
    assert open_checkpoint(WALK).name == "walk"
    assert len(walk.requests) == 0


@pytest.mark.parametrize("text", ["./missing", "/missing/folder", "../missing/more"])
def test_a_path_where_nothing_is_stays_a_path(hub_here: HubServer, text: str) -> None:
    assert (
        refusal(text)
        == f"{Path(text)} is no checkpoint: it has no config.json (expected config.json and model.safetensors)."
    )
    assert len(hub_here.requests) == 0


def test_what_is_neither_folder_nor_reference_is_one_sentence(hub_here: HubServer) -> None:
    assert refusal("walk").startswith('There is no folder "walk", and "walk" cannot be the name of a model on the Hub;')
    assert len(hub_here.requests) == 0


# The command ----------------------------------------------------------------------------------------------------------


def test_pull_copies_the_checkpoint_into_a_new_folder(walk: HubServer, tiny_checkpoint: Path, tmp_path: Path) -> None:
    pull(PullConfig(model=WALK, out=tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == PUBLISHED
    assert not any(path.is_symlink() for path in (tmp_path / "out").iterdir())
    assert same_weights(tmp_path / "out", tiny_checkpoint)


def test_pull_leaves_no_folder_when_it_fails(walk: HubServer, tmp_path: Path) -> None:
    walk.commit(WALK, {"model.safetensors": b"no weights"})
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match="is not a safetensors file"):
        pull(PullConfig(model=WALK, out=tmp_path / "out"))
    assert sorted(set(tmp_path.iterdir()) - {tmp_path / "hf_home"}) == sorted(set(before) - {tmp_path / "hf_home"})


def test_pull_never_writes_into_a_folder_that_is_not_empty(walk: HubServer, tiny_checkpoint: Path) -> None:
    with pytest.raises(InputError, match="already exists"):
        pull(PullConfig(model=WALK, out=tiny_checkpoint))
    assert len(walk.requests) == 0


def run(server: HubServer, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = hub_env(server, folder, server.token) | {"HF_HUB_DISABLE_PROGRESS_BARS": "0"} | env
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_command_tells_the_commit_and_never_the_token(walk: HubServer, tmp_path: Path) -> None:
    done = run(walk, tmp_path / "child", "hub", "pull", WALK, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/out\n"
    assert f"Model: alice/walk@{sha(walk)[:12]}\n" in done.stderr
    assert walk.token not in done.stdout + done.stderr
    assert "HTTP" not in done.stderr  # no line for each request


def test_a_model_that_is_not_there_ends_the_command_with_one_sentence(
    walk: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hub", "pull", "alice/absent"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("hub", run_name="__main__")
    told = "".join(capsys.readouterr())
    assert told.startswith("Error: alice/absent is not on the Hub, or it is private")
    assert told.count("\n") == 1


def test_generate_takes_a_model_of_the_hub_and_without_network_its_copy(
    walk: HubServer, tmp_path: Path, lab_folder: Path
) -> None:
    pictures = lab_folder / "val" / "val_label"
    words = ["cvae", "generate", "--checkpoint", WALK, "--poses", str(pictures), "--out", str(tmp_path / "out.gif")]
    words += ["--first-frame", str(lab_folder / "val" / "val_img" / "0.png")]
    fetch_checkpoint(WALK)
    done = run(walk, tmp_path, *words, HF_HUB_OFFLINE="1")  # from the same cache
    assert done.returncode == 0, done.stderr
    assert f"Model: alice/walk@{sha(walk)[:12]}\n" in done.stderr
    assert f"A copy of alice/walk@{sha(walk)[:12]} from the cache is used" in done.stderr
    assert (tmp_path / "out.gif").is_file()
