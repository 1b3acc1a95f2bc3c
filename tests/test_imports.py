import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "app": {"web", "hub", "cvae"},
    "web": {"cvae"},
    "training": {"hub", "cvae"},
    "hub": {"cvae"},
    "cvae": set(),
    "benchmarks": {"training", "cvae"},
}
USED_ONLY_BY = {"accelerate": "training", "huggingface_hub": "hub", "gradio": ("app", "web")}


COMMAND = re.compile(r"([a-z]\w*)(\.\w+)*:\w+")


def imports() -> list[tuple[str, str, str]]:
    """Every import of the project: file, its package, and the package imported; so are the commands of a program."""
    found = []
    for path in [ROOT / "app.py", *(p for name in ALLOWED for p in (ROOT / name).rglob("*.py"))]:
        package = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                names = [node.module or ""]
            if path.name == "__main__.py" and isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = [node.value.partition(":")[0]] if COMMAND.fullmatch(node.value) else []
            found += [(str(path.relative_to(ROOT)), package, name.split(".")[0]) for name in names]
    return found


def may_also_import(file: str) -> set[str]:
    """A program stands on top: its checkpoint may come from the Hub."""
    return {"hub"} if file.endswith("__main__.py") else set()


def test_imports_follow_the_arrows_of_the_house() -> None:
    seen = imports()
    assert len(seen) > 100
    wrong = [
        f"{file} imports {name}"
        for file, package, name in seen
        if name in ALLOWED and name != package and name not in ALLOWED[package] | may_also_import(file)
    ]
    assert wrong == []


def test_each_big_library_has_one_home() -> None:
    wrong = [
        f"{file} imports {name}" for file, package, name in imports() if package not in USED_ONLY_BY.get(name, package)
    ]
    assert wrong == []


@pytest.mark.parametrize("program", ["cvae", "training", "benchmarks", "hub"])
def test_help_answers_without_loading_torch_or_the_hubs_client(program: str) -> None:
    code = f"import sys, runpy; sys.argv = ['x', '--help']; runpy.run_module('{program}', run_name='__main__'); "
    code += "assert not {'torch', 'huggingface_hub'} & sys.modules.keys()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: python -m " + program in done.stdout


def test_the_hubs_client_is_not_loaded_for_a_folder_of_this_machine(tiny_checkpoint: Path) -> None:
    code = f"import sys; from hub.pull import open_checkpoint; open_checkpoint({str(tiny_checkpoint)!r}); "
    code += "assert 'huggingface_hub' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
