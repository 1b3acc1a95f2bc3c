from pathlib import Path

import pytest

from cvae.checkpoint import load_checkpoint, save_checkpoint
from cvae.config import Config
from cvae.errors import InputError
from cvae.files import filling, new_folder, replacing
from cvae.models import PoseCVAE


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"), replacing(tmp_path / "none" / "file.txt"):
        pass


def test_a_new_folder_is_empty_and_no_file(tmp_path: Path) -> None:
    new_folder(tmp_path / "a" / "b")
    new_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    for make in (new_folder, lambda path: filling(path).__enter__()):
        for path in (tmp_path, tmp_path / "file"):
            with pytest.raises(InputError, match=f"^{path} already exists and is not an empty folder; give a new one"):
                make(path)
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        with pytest.raises(InputError, match="loop cannot be made a folder"):
            make(tmp_path / "loop")
        (tmp_path / "loop").unlink()
        with pytest.raises(InputError, match="cannot be made a folder"):
            make(tmp_path / "file" / "a")


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_is_filled_whole_or_not_at_all(tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "above" / "folder"
    if is_there:  # as a mount point is, which nothing else may replace
        folder.mkdir(parents=True)
        number = folder.stat().st_ino
    with pytest.raises(RuntimeError), filling(folder) as unfinished:
        (unfinished / "half").mkdir()
        raise RuntimeError
    assert list((tmp_path / "above").iterdir()) == [folder] * is_there
    with filling(folder) as unfinished:
        (unfinished / "a").mkdir()
        (unfinished / "a" / "b.txt").write_text("b")
        assert not (folder / "a").exists()
    assert [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))] == ["a", "a/b.txt"]
    assert list((tmp_path / "above").iterdir()) == [folder] and folder.stat().st_mode & 0o055 == 0o055
    assert not is_there or folder.stat().st_ino == number


def test_a_checkpoint_that_cannot_be_saved_leaves_the_old_one(
    tiny_checkpoint: Path, tiny_config: Config, tiny_model: PoseCVAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, content: bytes) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    before = sorted(tiny_checkpoint.iterdir())
    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tiny_checkpoint, tiny_config, tiny_model, {"step": 1})
    assert sorted(tiny_checkpoint.iterdir()) == before
    load_checkpoint(tiny_checkpoint)
