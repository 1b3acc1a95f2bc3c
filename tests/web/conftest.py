from pathlib import Path
from typing import Any

import pytest

from cvae.checkpoint import Checkpoint, load_checkpoint
from tests.conftest import moving_square, write_pictures
from tests.web.robots import save_own_robot, write_own_trajectory
from web import worker


@pytest.fixture(autouse=True)
def interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told often, so that tests need not wait."""
    monkeypatch.setattr(worker, "INTERVAL", 0.005)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))


def sent(paths: Any) -> list[dict[str, str]]:
    """Files as the browser names them after an upload."""
    return [{"path": str(path)} for path in sorted(paths)]


@pytest.fixture
def frames(tmp_path: Path) -> list[dict[str, str]]:
    """Of a person."""
    return sent(write_pictures(tmp_path / "frames", moving_square(6)[0]).iterdir())


@pytest.fixture
def poses(tmp_path: Path) -> list[dict[str, str]]:
    return sent(write_pictures(tmp_path / "poses", moving_square(6)[1]).iterdir())


@pytest.fixture
def robot(tmp_path: Path) -> Checkpoint:
    """A tiny network of our own robot."""
    return load_checkpoint(save_own_robot(tmp_path / "robot"))


@pytest.fixture
def trajectory(tmp_path: Path) -> Path:
    """Six frames of that robot."""
    return write_own_trajectory(tmp_path / "trajectory")
