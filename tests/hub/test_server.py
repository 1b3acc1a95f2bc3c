"""The client of huggingface_hub, unchanged, against the Hub on loopback."""

import json
import random
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import (
    CommitOperationAdd,
    HfApi,
    ModelCard,
    SpaceHardware,
    constants,
    hf_hub_download,
    snapshot_download,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub.conftest import hub_env
from tests.hub.server import HubServer

WEIGHTS = bytes(range(256)) * 1000
REPO = "alice/walk"


@pytest.fixture
def api(hub_here: HubServer) -> HfApi:
    """The client, as alice."""
    return HfApi()


@pytest.fixture
def walk(hub_here: HubServer) -> HubServer:
    """The Hub with a small model on it."""
    hub_here.create(REPO)
    hub_here.commit(REPO, {"config.json": "{}", "model.safetensors": WEIGHTS})
    return hub_here


def put(path: str, content: bytes) -> CommitOperationAdd:
    return CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)


def cached_files(folder: Path) -> list[Path]:
    """What a later reader of the cache could take for a file of the model."""
    return [path for path in folder.rglob("snapshots/*/*") if path.is_file()]


def test_a_folder_comes_back_as_it_was_pushed(api: HfApi, hub_here: HubServer, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "figures").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "figures" / "training.png").write_bytes(b"\x89PNG\0" + b"x" * 100)
    url = api.create_repo(REPO, exist_ok=True)
    commit = api.upload_folder(repo_id=REPO, folder_path=folder, commit_message="first")
    copy = Path(snapshot_download(REPO))
    assert str(url) == str(api.create_repo(REPO, exist_ok=True)) == f"{hub_here.url}/{REPO}"
    assert commit.oid == api.model_info(REPO).sha == copy.name
    for path in ("config.json", "model.safetensors", "figures/training.png"):
        assert (copy / path).read_bytes() == (folder / path).read_bytes() == hub_here.files(REPO)[path]
    assert hub_here.head(REPO).files["model.safetensors"].lfs
    assert not hub_here.head(REPO).files["config.json"].lfs


def test_what_has_not_changed_is_not_sent_again(api: HfApi, walk: HubServer, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(WEIGHTS)
    before = walk.head(REPO).id
    assert api.upload_folder(repo_id=REPO, folder_path=tmp_path, allow_patterns="model.safetensors").oid == before
    assert not walk.requests.matching("PUT|/commit/")


def test_the_token_goes_to_the_hub_and_never_to_the_storage(api: HfApi, hub_here: HubServer) -> None:
    hub_here.create(REPO, private=True)
    api.upload_file(repo_id=REPO, path_or_fileobj=b"\0" * 5000, path_in_repo="model.safetensors")
    hf_hub_download(REPO, "model.safetensors")
    stored = [seen for seen in hub_here.requests if seen.place == "storage"]
    assert [(seen.method, seen.token, seen.status) for seen in stored] == [("PUT", None, 200), ("GET", None, 200)]
    assert {seen.token for seen in hub_here.requests if seen.place == "hub"} == {hub_here.token}


def test_the_storage_refuses_a_token_and_what_is_not_signed(hub_server: HubServer) -> None:
    url = hub_server.state.storage_url("GET", f"/contents/{'0' * 64}")
    assert httpx2.get(url).status_code == 404
    assert httpx2.get(url, headers={"Authorization": f"Bearer {hub_server.token}"}).status_code == 400
    assert httpx2.get(url.split("?")[0]).status_code == 403


def test_the_storage_takes_a_content_only_under_its_own_hash(hub_server: HubServer) -> None:
    url = hub_server.state.storage_url("PUT", f"/contents/{'0' * 64}")
    assert httpx2.put(url, content=b"something else").status_code == 400
    assert list((hub_server.state.store.root / "contents").iterdir()) == []


def test_a_revision_keeps_its_contents_after_later_pushes(api: HfApi, walk: HubServer) -> None:
    first = walk.head(REPO).id
    api.create_commit(REPO, [put("config.json", b'{"new": 1}')], commit_message="second")
    assert Path(hf_hub_download(REPO, "config.json", revision=first)).read_bytes() == b"{}"
    assert Path(hf_hub_download(REPO, "config.json")).read_bytes() == b'{"new": 1}'
    assert [commit.title for commit in api.list_repo_commits(REPO)] == ["second", "Change files", "initial commit"]


def test_commits_at_the_same_time_give_a_revision_each(api: HfApi, walk: HubServer) -> None:
    def push(i: int) -> None:
        api.create_commit(REPO, [put(f"{i}.txt", b"%d" % i)], commit_message=f"push {i}")

    threads = [threading.Thread(target=push, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = walk.history(REPO)
    assert len({commit.id for commit in history}) == 6
    assert {path for path in walk.files(REPO) if path.endswith(".txt")} == {f"{i}.txt" for i in range(4)}
    assert [len(commit.files) for commit in history] == [7, 6, 5, 4, 3, 1]


def test_a_commit_on_a_stale_parent_is_refused_whole(api: HfApi, walk: HubServer) -> None:
    parent = walk.head(REPO).id
    walk.faults.before("POST .*/commit/", lambda: walk.commit(REPO, {"other.txt": "faster"}, title="theirs"))
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as refusal:
        api.create_commit(REPO, [put("mine.txt", b"late")], commit_message="mine", parent_commit=parent)
    assert refusal.value.response.status_code == 412
    assert walk.head(REPO).title == "theirs"
    assert "mine.txt" not in walk.files(REPO)


def test_a_branch_leaves_main_alone(api: HfApi, walk: HubServer) -> None:
    api.create_branch(REPO, branch="feature/a b")
    api.create_branch(REPO, branch="feature/a b", exist_ok=True)
    api.create_commit(REPO, [put("new.txt", b"hi")], commit_message="there", revision="feature/a b")
    assert Path(hf_hub_download(REPO, "new.txt", revision="feature/a b")).read_bytes() == b"hi"
    assert "new.txt" not in walk.files(REPO)
    assert {ref.name for ref in api.list_repo_refs(REPO).branches} == {"main", "feature/a b"}
    api.delete_branch(REPO, branch="feature/a b")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPO, revision="feature/a b")


def test_a_tag_names_a_commit_for_good(api: HfApi, walk: HubServer) -> None:
    api.create_tag(REPO, tag="v1")
    tagged = walk.head(REPO).id
    walk.commit(REPO, {"later.txt": "later"})
    assert api.model_info(REPO, revision="v1").sha == tagged


def test_files_folders_and_repositories_can_be_deleted(api: HfApi, walk: HubServer) -> None:
    walk.commit(REPO, {"figures/a.txt": "a", "figures/b.txt": "b"})
    api.delete_file("config.json", REPO)
    api.delete_folder("figures", REPO)
    assert set(walk.files(REPO)) == {".gitattributes", "model.safetensors"}
    with pytest.raises(RemoteEntryNotFoundError):
        api.delete_file("config.json", REPO)
    api.delete_repo(REPO)
    assert not api.repo_exists(REPO)


def test_a_long_tree_comes_page_by_page(api: HfApi, walk: HubServer) -> None:
    walk.set_page_size(2)
    walk.commit(REPO, {f"figures/{i}.txt": str(i) for i in range(5)})
    entries = list(api.list_repo_tree(REPO, recursive=True))
    assert [entry.path for entry in entries] == sorted({*walk.files(REPO), "figures"})
    assert len(walk.requests.matching("GET .*/tree/")) == 5
    assert len(list(api.list_repo_tree(REPO, "figures"))) == 5
    assert [entry.path for entry in api.list_repo_tree(REPO)][-1] == "model.safetensors"


def test_sizes_and_hashes_are_told_before_the_download(api: HfApi, walk: HubServer) -> None:
    truth = walk.head(REPO).files["model.safetensors"]
    [of_paths] = api.get_paths_info(REPO, ["model.safetensors", "missing"])
    of_info = {sibling.rfilename: sibling for sibling in api.model_info(REPO, files_metadata=True).siblings or []}
    assert of_paths.size == of_info["model.safetensors"].size == truth.size == len(WEIGHTS)  # type: ignore[union-attr]
    assert of_paths.lfs.sha256 == of_info["model.safetensors"].lfs.sha256 == truth.sha256  # type: ignore[union-attr]
    assert of_info["config.json"].size == 2


def test_a_private_repository_is_not_there_for_others(api: HfApi, hub_here: HubServer) -> None:
    hub_here.create(REPO, private=True)
    bob = hub_here.add_user("bob")
    assert api.model_info(REPO).private
    for token, status in ((False, 401), (bob, 404)):
        with pytest.raises(RepositoryNotFoundError) as refusal:
            api.model_info(REPO, token=token)
        assert refusal.value.response.status_code == status


def test_a_gated_repository_shows_itself_but_not_its_contents(api: HfApi, walk: HubServer) -> None:
    walk.repo(REPO).change_settings(gated="manual", granted=["carol"])
    bob, carol = walk.add_user("bob"), walk.add_user("carol")
    assert api.model_info(REPO, token=bob).gated == "manual"
    for token in (False, bob):
        with pytest.raises(GatedRepoError):
            hf_hub_download(REPO, "config.json", token=token)
    assert Path(hf_hub_download(REPO, "config.json", token=carol)).read_bytes() == b"{}"


def test_a_token_that_nobody_has_is_refused(api: HfApi, walk: HubServer) -> None:
    assert api.whoami()["name"] == "alice"
    for call in (lambda token: api.whoami(token=token), lambda token: api.model_info(REPO, token=token)):
        with pytest.raises(HfHubHTTPError) as refusal:
            call("hf_wrong")
        assert refusal.value.response.status_code == 401
        assert not isinstance(refusal.value, RepositoryNotFoundError)


def test_only_the_owner_with_a_token_that_may_write_pushes(api: HfApi, walk: HubServer) -> None:
    for token in (walk.add_user("bob"), walk.add_user("alice", role="read")):
        with pytest.raises(HfHubHTTPError) as refusal:
            api.create_commit(REPO, [put("a.txt", b"a")], commit_message="no", token=token)
        assert refusal.value.response.status_code == 403
        with pytest.raises(HfHubHTTPError, match="403"):
            api.create_repo("alice/other", token=token)


def test_what_is_missing_is_told_apart(api: HfApi, walk: HubServer) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("alice/nothing")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPO, revision="0" * 40)
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(REPO, "config.json", revision="nothing")
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download(REPO, "nothing.json")


def test_a_path_that_leaves_the_repository_is_not_committed(walk: HubServer) -> None:
    lines = [
        {"key": "header", "value": {"summary": "bad"}},
        {"key": "file", "value": {"path": "../evil.txt", "content": "", "encoding": "base64"}},
    ]
    answer = httpx2.post(
        f"{walk.url}/api/models/{REPO}/commit/main",
        content="\n".join(map(json.dumps, lines)),
        headers={"Authorization": f"Bearer {walk.token}"},
    )
    assert answer.status_code == 400
    assert walk.head(REPO).title == "Change files"


def test_a_card_is_checked_as_the_hub_checks_it(hub_here: HubServer) -> None:
    ModelCard("---\nlicense: mit\npipeline_tag: image-to-video\n---\n# A model\n").validate()
    with pytest.raises(ValueError, match='"license" must be one of'):
        ModelCard("---\nlicense: mine\n---\n# A model\n").validate()


@pytest.mark.parametrize(
    "line", ["license: mine", "pipeline_tag: dancing", "tags: one", "model-index: [{name: walk}]", "a: [b", "- a"]
)
def test_a_commit_with_a_wrong_card_is_refused(api: HfApi, walk: HubServer, line: str) -> None:
    readme = f"---\n{line}\n---\n# A model\n".encode()
    with pytest.raises(ValueError, match="Invalid metadata in README"):
        api.create_commit(REPO, [put("README.md", readme)], commit_message="bad card")
    assert "README.md" not in walk.files(REPO)


def test_a_card_without_front_matter_is_warned_of(api: HfApi, walk: HubServer) -> None:
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        api.create_commit(REPO, [put("README.md", b"# A model\n")], commit_message="bare card")


def test_the_card_is_part_of_what_is_known_of_a_model(api: HfApi, walk: HubServer) -> None:
    card = "---\nlicense: mit\npipeline_tag: image-to-video\nlibrary_name: marionette\ntags: [pose]\n---\n# A model\n"
    api.create_commit(REPO, [put("README.md", card.encode())], commit_message="card")
    info = api.model_info(REPO)
    assert (info.pipeline_tag, info.library_name, info.tags) == (
        "image-to-video",
        "marionette",
        ["pose", "license:mit"],
    )


def test_small_files_also_come_by_a_redirect(walk: HubServer) -> None:
    walk.redirect_small_files()
    assert Path(hf_hub_download(REPO, "config.json")).read_bytes() == b"{}"
    assert walk.requests.matching("GET /api/resolve-cache/models/alice/walk/[0-9a-f]{40}/config.json")


def test_a_fault_ends_after_its_times(api: HfApi, walk: HubServer) -> None:
    walk.faults.answer("GET /api/models/", 503, message="Down for repairs", times=1)
    with pytest.raises(HfHubHTTPError, match="Down for repairs") as refusal:
        api.model_info(REPO)
    assert refusal.value.response.status_code == 503
    assert api.model_info(REPO).id == REPO


def test_a_download_goes_on_where_it_was_cut(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)  # the client keeps whole chunks only
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # it waits before it goes on
    walk.faults.cut_answer("GET /contents/", after=1000, times=1)
    assert Path(hf_hub_download(REPO, "model.safetensors")).read_bytes() == WEIGHTS
    cut, rest = walk.requests.matching("GET /contents/")
    assert (cut.status, rest.status) == (200, 206)
    assert rest.headers["range"] == "bytes=1000-"


def test_a_download_that_is_reset_leaves_nothing_in_the_cache(walk: HubServer, tmp_path: Path) -> None:
    walk.faults.cut_answer("GET /contents/", after=1000, reset=True)
    with pytest.raises(httpx2.NetworkError):
        hf_hub_download(REPO, "model.safetensors")
    assert cached_files(tmp_path / "hf_home") == []


def test_a_download_that_stalls_comes_to_its_end(walk: HubServer) -> None:
    walk.faults.stall_answer("GET /contents/", 0.3, after=1000)
    assert Path(hf_hub_download(REPO, "model.safetensors")).read_bytes() == WEIGHTS


def test_an_answer_that_is_too_slow_is_given_up(api: HfApi, walk: HubServer) -> None:
    walk.faults.delay("GET /api/models/", 0.5)
    with pytest.raises(httpx2.ReadTimeout):
        api.model_info(REPO, timeout=0.1)


def test_an_upload_that_is_cut_commits_nothing_and_can_be_repeated(api: HfApi, walk: HubServer) -> None:
    walk.faults.cut_request("POST .*/commit/", after=10, times=1)
    before = walk.head(REPO).id
    with pytest.raises(httpx2.TransportError):
        api.create_commit(REPO, [put("a.txt", b"a" * 100_000)], commit_message="cut")
    assert walk.head(REPO).id == before
    api.create_commit(REPO, [put("a.txt", b"a" * 100_000)], commit_message="whole")
    assert walk.files(REPO)["a.txt"] == b"a" * 100_000


def test_a_large_file_that_is_cut_is_sent_again(
    api: HfApi, hub_here: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_here.create(REPO)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits before it tries again
    hub_here.faults.cut_request("PUT /contents/", after=1000, times=1)
    api.create_commit(REPO, [put("model.safetensors", WEIGHTS)], commit_message="weights")
    assert [seen.status for seen in hub_here.requests.matching("PUT")] == [None, 200]
    assert hub_here.files(REPO)["model.safetensors"] == WEIGHTS


def test_lies_are_told_wherever_a_file_is_mentioned(api: HfApi, walk: HubServer) -> None:
    walk.lie(REPO, "model.safetensors", size=10**12, sha256="0" * 64)
    walk.lie(REPO, "config.json", size=10**12)
    told = {sibling.rfilename: sibling for sibling in api.model_info(REPO, files_metadata=True).siblings or []}
    tree = {entry.path: entry for entry in api.list_repo_tree(REPO)}
    for name in ("model.safetensors", "config.json"):
        head = httpx2.head(f"{walk.url}/{REPO}/resolve/main/{name}")
        assert told[name].size == tree[name].size == 10**12  # type: ignore[union-attr]
        assert int(head.headers.get("X-Linked-Size") or head.headers["Content-Length"]) == 10**12
    assert told["model.safetensors"].lfs.sha256 == "0" * 64  # type: ignore[union-attr]


def test_contents_can_be_other_than_what_was_told(walk: HubServer) -> None:
    walk.lie(REPO, "model.safetensors", content=b"not these weights")
    with pytest.raises(OSError, match="should be of size 256000 but has size 17"):
        hf_hub_download(REPO, "model.safetensors")
    walk.lie(REPO, "config.json", content=b"!!")
    assert Path(hf_hub_download(REPO, "config.json")).read_bytes() == b"!!"


def test_a_hostile_path_and_a_hostile_commit_are_passed_on(api: HfApi, walk: HubServer) -> None:
    walk.commit(REPO, {"../evil.txt": "x"})
    assert "../evil.txt" in api.list_repo_files(REPO)
    walk.faults.change("GET /api/models/", lambda info: info | {"sha": "../../x"})
    assert api.model_info(REPO).sha == "../../x"


def test_a_space_is_made_with_all_that_it_needs(api: HfApi, hub_here: HubServer) -> None:
    space = "alice/page"
    url = api.create_repo(
        space,
        repo_type="space",
        space_sdk="gradio",
        space_hardware=SpaceHardware.T4_SMALL,
        space_secrets=[{"key": "HF_TOKEN", "value": "hf_secret"}],
        space_variables=[{"key": "MODEL_ID", "value": REPO}],
    )
    assert str(url) == f"{hub_here.url}/spaces/{space}"
    assert api.get_space_runtime(space).requested_hardware == "t4-small"
    api.add_space_secret(space, "OTHER", "hidden")
    api.add_space_variable(space, "MODEL_ID", f"{REPO}@main")
    assert set(api.get_space_secrets(space)) == {"HF_TOKEN", "OTHER"}
    assert {key: variable.value for key, variable in api.get_space_variables(space).items()} == {
        "MODEL_ID": f"{REPO}@main"
    }
    assert hub_here.secrets(space) == {"HF_TOKEN": "hf_secret", "OTHER": "hidden"}
    api.delete_space_secret(space, "OTHER")
    assert set(hub_here.secrets(space)) == {"HF_TOKEN"}
    api.request_space_hardware(space, SpaceHardware.CPU_UPGRADE)
    readme = b"---\ntitle: Page\nsdk: gradio\ncolorFrom: red\ncolorTo: blue\n---\n"
    api.create_commit(
        space, [put("app.py", b"print()"), put("README.md", readme)], commit_message="app", repo_type="space"
    )
    assert api.restart_space(space).stage == "BUILDING"
    assert (hub_here.repo(space, "spaces").settings.hardware, api.space_info(space).sdk) == ("cpu-upgrade", "gradio")
    assert Path(hf_hub_download(space, "app.py", repo_type="space")).read_bytes() == b"print()"


@pytest.mark.parametrize("line", ["sdk: flask", "colorFrom: orange", f"short_description: {'x' * 61}", "pinned: 3"])
def test_a_space_with_a_wrong_front_matter_is_refused(api: HfApi, hub_here: HubServer, line: str) -> None:
    hub_here.create("alice/page", kind="spaces")
    sdk = "" if line.startswith("sdk") else "sdk: gradio\n"
    readme = f"---\n{sdk}{line}\n---\n"
    with pytest.raises(ValueError, match=line.split(":")[0]):
        api.create_commit("alice/page", [put("README.md", readme.encode())], commit_message="x", repo_type="space")


def test_large_files_come_and_go_in_chunks_where_xet_is_on(hub_server: HubServer, tmp_path: Path) -> None:
    hub_server.enable_xet()
    weights = random.Random(0).randbytes(300_000)
    path = tmp_path / "model.safetensors"
    path.write_bytes(weights)
    program = f"""if True:
        from huggingface_hub import HfApi, snapshot_download
        HfApi().create_repo({REPO!r}, private=True)
        HfApi().upload_file(repo_id={REPO!r}, path_or_fileobj={str(path)!r}, path_in_repo={path.name!r})
        print(snapshot_download({REPO!r}))
    """
    child = subprocess.run(
        [sys.executable, "-c", program],
        env=hub_env(hub_server, tmp_path, hub_server.token, xet=True),
        text=True,
        capture_output=True,
    )
    assert (Path(child.stdout.strip()) / "model.safetensors").read_bytes() == weights
    assert hub_server.files(REPO)["model.safetensors"] == weights
    assert [seen.path for seen in hub_server.requests if "xet" in seen.path] == [
        f"/api/models/{REPO}/xet-write-token/main",
        f"/api/models/{REPO}/xet-read-token/{hub_server.head(REPO).id}",
    ]
    assert not [seen for seen in hub_server.requests if seen.place == "storage"]


def test_a_server_that_is_down_comes_back_with_all_it_had(api: HfApi, walk: HubServer) -> None:
    walk.stop()
    with pytest.raises(httpx2.ConnectError):
        api.model_info(REPO)
    walk.start()
    assert api.model_info(REPO).sha == walk.head(REPO).id


def test_a_child_process_gets_the_hub_by_its_environment(hub_server: HubServer, tmp_path: Path) -> None:
    hub_server.create(REPO, private=True)
    hub_server.commit(REPO, {"config.json": "{}"})
    program = f"from huggingface_hub import hf_hub_download; print(hf_hub_download({REPO!r}, 'config.json'))"
    command = [sys.executable, "-c", program]
    child = subprocess.run(command, env=hub_env(hub_server, tmp_path, hub_server.token), text=True, capture_output=True)
    path = Path(child.stdout.strip())
    assert path.read_bytes() == b"{}"
    assert path.is_relative_to(tmp_path / "hf_home")
