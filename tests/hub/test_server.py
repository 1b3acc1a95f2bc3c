"""The client of huggingface_hub, unchanged, against the Hub on loopback."""

from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, snapshot_download

from tests.hub.server import HubServer


def test_a_folder_comes_back_as_it_was_pushed(hub_here: HubServer, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "figures").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 1000)
    (folder / "figures" / "training.png").write_bytes(b"\x89PNG\0" + b"x" * 100)
    api = HfApi()

    url = api.create_repo("alice/walk", exist_ok=True)
    commit = api.upload_folder(repo_id="alice/walk", folder_path=folder, commit_message="first")
    copy = Path(snapshot_download("alice/walk"))

    assert str(url) == f"{hub_here.url}/alice/walk"
    assert commit.oid == api.model_info("alice/walk").sha == copy.name
    for path in ("config.json", "model.safetensors", "figures/training.png"):
        assert (copy / path).read_bytes() == (folder / path).read_bytes() == hub_here.files("alice/walk")[path]
    assert hub_here.head("alice/walk").files["model.safetensors"].lfs
    assert not hub_here.head("alice/walk").files["config.json"].lfs


def test_the_token_goes_to_the_hub_and_never_to_the_storage(hub_here: HubServer, tmp_path: Path) -> None:
    hub_here.create("alice/walk", private=True)
    HfApi().upload_file(repo_id="alice/walk", path_or_fileobj=b"\0" * 5000, path_in_repo="model.safetensors")
    hf_hub_download("alice/walk", "model.safetensors")

    stored = [seen for seen in hub_here.requests if seen.place == "storage"]
    assert [(seen.method, seen.token, seen.status) for seen in stored] == [("PUT", None, 200), ("GET", None, 200)]
    assert {seen.token for seen in hub_here.requests if seen.place == "hub"} == {hub_here.token}
