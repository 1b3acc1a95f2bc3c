"""The Dockerfile, executed without Docker: a folder is the root, a new virtual environment is the base image."""

import fnmatch
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.references import Reference
from hub.space_folder import SpaceFolder, write_space

ROOT = Path(__file__).parents[1]
USER = "/home/user"


@dataclass(frozen=True)
class Step:
    """One instruction."""

    name: str
    flags: dict[str, str]
    text: str


def parse(text: str) -> list[Step]:
    """The instructions of a Dockerfile, in their order."""
    lines = [line for line in text.replace("\\\n", "").splitlines() if line.strip() and not line.startswith("#")]
    steps = []
    for line in lines:
        name, _, rest = line.partition(" ")
        flags = {}
        while flag := re.match(r"--([\w-]+)=(\S+) +", rest):
            flags[flag[1]] = flag[2]
            rest = rest[flag.end() :]
        steps.append(Step(name, flags, rest))
    return steps


STEPS = parse((ROOT / "Dockerfile").read_text())


def named(name: str) -> list[Step]:
    return [step for step in STEPS if step.name == name]


def context_files(context: Path) -> list[Path]:
    """What `COPY .` copies: all that .dockerignore leaves, where the last pattern that fits a path or a parent wins."""
    patterns = [line for line in (context / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]

    def is_left(path: Path) -> bool:
        left = True
        for pattern in patterns:
            bare = pattern.removeprefix("!").removeprefix("**/")
            anywhere = "**/" in pattern
            places = [path, *path.parents][:-1]
            if any(fnmatch.fnmatch(place.name if anywhere else str(place), bare) for place in places):
                left = pattern.startswith("!")
        return left

    tops = [top for top in sorted(context.iterdir()) if is_left(top.relative_to(context))]
    files = [path for top in tops for path in (sorted(top.rglob("*")) if top.is_dir() else [top]) if path.is_file()]
    return [name for path in files if is_left(name := path.relative_to(context))]


def test_the_context_is_what_the_page_needs_and_nothing_else() -> None:
    tops = {path.parts[0] for path in context_files(ROOT)}
    assert {"app.py", "cvae", "hub", "web", "examples", "weights", "requirements-page.txt"} <= tops
    assert tops <= {"app.py", "cvae", "hub", "web", "examples", "weights", "requirements-page.txt", "LICENSE"}
    assert not [path for path in context_files(ROOT) if path.suffix == ".pyc" or "__pycache__" in path.parts]


def test_a_docker_space_has_all_that_is_copied_and_its_model_comes_along(tmp_path: Path) -> None:
    write_space(tmp_path, SpaceFolder(model=Reference("alice/walk"), sdk="docker", hardware=None))
    files = context_files(tmp_path)
    assert Path("model_id.txt") in files
    for step in named("COPY"):
        source = Path(step.text.split()[0])
        assert any(source in (path, *path.parents) for path in files), step.text


def test_the_image_is_slim_runs_as_user_1000_and_serves_as_a_docker_space() -> None:
    assert re.fullmatch(r"python:3\.1\d-slim", named("FROM")[0].text)
    assert [step.text for step in named("USER")] == ["user"]
    assert any("--uid 1000 user" in step.text for step in named("RUN"))
    assert [step.text for step in named("EXPOSE")] == ["7860"]
    assert all(step.flags == {"chown": "user"} for step in named("COPY") if STEPS.index(step) > user_step())
    assert not [step for step in named("RUN") if re.search(r"gcc|g\+\+|build-essential|apt", step.text)]


def user_step() -> int:
    return STEPS.index(named("USER")[0])


def test_other_code_costs_no_other_packages() -> None:
    code = next(i for i, step in enumerate(STEPS) if step.name == "COPY" and step.text.startswith("cvae"))
    installs = [i for i, step in enumerate(STEPS) if step.name == "RUN" and "pip install" in step.text]
    assert installs
    assert max(installs) < code < len(STEPS)


# Executed -----------------------------------------------------------------------------------------------


@dataclass
class Machine:
    """A folder that the steps take for the root of a machine."""

    root: Path
    context: Path
    arguments: dict[str, str]
    """As `docker build --build-arg` gives them."""
    place: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        absolute = path if path.startswith("/") else f"{self.place}/{path}"
        return self.root / absolute.strip("/")

    def run(self, step: Step) -> None:
        """Execute one step.

        Raises:
            AssertionError: If it is none that is known, or a command fails.
        """
        match step.name:
            case "FROM" | "USER" | "EXPOSE" | "HEALTHCHECK" | "CMD":
                pass
            case "WORKDIR":
                self.place = step.text
                self.inside(".").mkdir(parents=True, exist_ok=True)
            case "ENV":
                for name, value in re.findall(r"(\w+)=(\S+)", step.text):
                    self.environment[name] = str(self.inside(value)) if value.startswith("/") else value
            case "ARG":
                name, _, default = step.text.partition("=")
                self.environment[name] = self.arguments.get(name, default)
            case "COPY":
                self.copy(*step.text.split())
            case "RUN" if step.text.startswith("useradd"):
                self.skipped.append("useradd would change this machine")
                self.inside(USER).mkdir(parents=True)
            case "RUN":
                done = subprocess.run(
                    ["/bin/sh", "-c", step.text], cwd=self.inside("."), env=self.env(), capture_output=True, text=True
                )
                assert done.returncode == 0, f"{step.text}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            case _:
                raise AssertionError(f"{step.name} is not known to this test")

    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "http", "no_"))}
        path = f"{self.root / 'venv' / 'bin'}:/usr/bin:/bin"
        return kept | {"HOME": str(self.inside(USER)), "OMP_NUM_THREADS": "1"} | self.environment | {"PATH": path}

    def copy(self, source: str, target: str) -> None:
        for path in context_files(self.context):
            if source == "." or str(path) == source or Path(source) in path.parents:
                inner = path.relative_to(source) if Path(source) in path.parents else Path(path.name)
                to = self.inside(target) / (path if source == "." else inner)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.context / path, to)


def torch_of_this_machine(folder: Path) -> dict[str, str]:
    """Build arguments and a constraint with which torch comes as a wheel for CPUs that this machine already has."""
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    folders = " ".join(re.findall(r"find-links='([^']*)'", told)).split()
    wheels = sorted(wheel for folder in folders for wheel in Path(folder).glob("torch-*+cpu-*.whl"))
    if not wheels:
        return {}
    (folder / "constraints.txt").write_text(f"torch=={wheels[-1].name.split('-')[1]}\n")
    return {"TORCH_INDEX": os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")}


def can_reach(host: str) -> bool:
    try:
        socket.create_connection((host, 443), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_its_steps_build_a_machine_that_serves_the_bundled_model_and_knows_its_health(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    machine = Machine(tmp_path, ROOT, torch_of_this_machine(tmp_path))
    if not machine.arguments and not can_reach("download.pytorch.org"):
        pytest.skip("a wheel of torch for CPUs is neither on this machine nor within reach")
    if (tmp_path / "constraints.txt").exists():
        machine.environment["PIP_CONSTRAINT"] = str(tmp_path / "constraints.txt")
    for step in STEPS:
        machine.run(step)
    assert machine.skipped == ["useradd would change this machine"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment = machine.env() | {"PORT": port, "GRADIO_TEMP_DIR": str(tmp_path / "cache")}
    (health,), (command,) = named("HEALTHCHECK"), named("CMD")
    check = json.loads(health.text.removeprefix("CMD "))

    def is_healthy() -> bool:
        return subprocess.run(check, env=environment, capture_output=True).returncode == 0

    assert not is_healthy()
    place = machine.inside(".")
    with subprocess.Popen(["/bin/sh", "-c", command.text], cwd=place, env=environment) as server:
        try:
            until = time.monotonic() + 90
            while not is_healthy():
                assert server.poll() is None
                assert time.monotonic() < until
                time.sleep(1)
        finally:
            server.terminate()  # reaches the page itself, which is no child of a shell
    assert server.returncode == 128 + 15
