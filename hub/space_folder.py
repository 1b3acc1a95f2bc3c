"""The files of a Space: the app with what it imports, and a README whose front matter tells the Hub how to run it."""

import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from cvae.poses.weights import present_weights
from hub.references import Reference

ROOT = Path(__file__).parents[1]
PORT = 7860
MODEL_FILE = "model_id.txt"
"""Names the model of a Space where the variable MODEL_ID does not."""
PAGE_REQUIREMENTS = "requirements-page.txt"
_PACKAGES = ("cvae", "hub", "web")
_CODE = (".py", ".css", ".html", ".js", ".md")
_PYTHON = "3.12"
"""The newest that ZeroGPU has; the Dockerfile has it too."""
_CPU_INDEX = "ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu"
_GPU_INDEX = "ARG TORCH_INDEX=https://pypi.org/simple"
_README = """# Marionette

The model `{model}` predicts a video, frame by frame: of a person, from one picture and a sequence of poses, or of a
robot, from the first frames and its actions, whichever it was trained on. The variable `MODEL_ID` of this Space names
another model (`user/name` or `user/name@revision`).
"""

Sdk = Literal["gradio", "docker"]


@dataclass(frozen=True, kw_only=True)
class SpaceFolder:
    """What decides about the files of a Space."""

    model: Reference
    sdk: Sdk
    hardware: str | None
    """By the Hub's name; None for its default, a CPU."""


def write_space(folder: Path, space: SpaceFolder) -> None:
    """Write all files of a Space into an empty folder; the same come out whenever the same goes in.

    They serve any model, of a person or a robot, since MODEL_ID may name another one later.
    The networks that find poses come along where this machine has them; else the Space fetches them at first use.
    """
    for name in _PACKAGES:
        _copy_code(ROOT / name, folder / name)
    for name in ("app.py", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns(".*"))
    if networks := present_weights():
        place = folder / "weights" / "blazepose"
        place.mkdir(parents=True)
        for file in (networks.detector, networks.landmarks):
            shutil.copyfile(file, place / file.name)
    (folder / MODEL_FILE).write_text(f"{space.model}\n")
    if space.sdk == "docker":
        _write_docker(folder, space)
    else:
        (folder / "requirements.txt").write_text(gradio_requirements())
    (folder / "README.md").write_text(_readme(space))


def gradio_requirements() -> str:
    """What the Hub installs beside Gradio, whose version stands in the front matter and nowhere else."""
    lines = (ROOT / PAGE_REQUIREMENTS).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("gradio"))


def _copy_code(source: Path, target: Path) -> None:
    for file in sorted(source.rglob("*")):
        if file.suffix in _CODE and file.is_file():
            place = target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)


def _write_docker(folder: Path, space: SpaceFolder) -> None:
    for name in (".dockerignore", PAGE_REQUIREMENTS):
        shutil.copyfile(ROOT / name, folder / name)
    text = (ROOT / "Dockerfile").read_text()
    assert _CPU_INDEX in text
    has_gpu = space.hardware is not None and not space.hardware.startswith("cpu")
    (folder / "Dockerfile").write_text(text.replace(_CPU_INDEX, _GPU_INDEX) if has_gpu else text)


def _readme(space: SpaceFolder) -> str:
    from huggingface_hub import SpaceCardData  # takes its time to load, and the page needs this module's names only

    gradio = {"sdk_version": version("gradio"), "python_version": _PYTHON, "app_file": "app.py"}
    fields: dict[str, Any] = {
        "title": "Marionette",
        "emoji": "🎬",
        "colorFrom": "indigo",
        "colorTo": "gray",
        "sdk": space.sdk,
        **({"app_port": PORT} if space.sdk == "docker" else gradio),
        "pinned": False,
        "license": "mit",
        "models": [space.model.repo],
        "short_description": "Poses or a robot's actions become a video",
    }
    if space.hardware:
        fields["suggested_hardware"] = space.hardware
    return f"---\n{SpaceCardData(**fields).to_yaml()}\n---\n\n{_README.format(model=space.model)}"
