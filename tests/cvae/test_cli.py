import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from cvae.cli import run_command, run_options
from cvae.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """Do one thing."""

    number: int
    """Which number."""

    def __post_init__(self) -> None:
        if self.number < 0:
            raise InputError("The number is below 0.")


def run(options: Options) -> None:
    if options.number == 1:
        raise InputError("The number is 1; expected another.")
    if options.number == 2:
        raise KeyboardInterrupt
    if options.number == 3:
        raise PermissionError(13, "Permission denied", "results.gif")
    if options.number in (signal.SIGTERM, signal.SIGHUP + 100):
        signal.raise_signal(options.number % 100)
    print(f"did {options.number}")


def test_options_come_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    run_options(run, "program", ["--number", "7"])
    assert capsys.readouterr().out == "did 7\n"


@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [
        ("-1", 2, "Error: The number is below 0.\n"),
        ("1", 2, "Error: The number is 1; expected another.\n"),
        ("15", 143, ""),
        ("2", 130, ""),
        ("3", 2, "Error: results.gif: Permission denied.\n"),
    ],
)
def test_what_went_wrong_is_one_sentence_and_an_exit_code(
    number: str, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_options(run, "program", ["--number", number])
    assert ended.value.code == code
    assert capsys.readouterr().err == sentence


def test_an_unknown_command_is_named_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["program", "dance"])
    with pytest.raises(SystemExit) as ended:
        run_command("program", {"sing": ("tests.cvae.test_cli:run", "Sing.")})
    assert ended.value.code == 2
    assert '"dance" is no command of program; expected sing.' in capsys.readouterr().err


def test_a_command_runs_the_function_it_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["program", "sing", "--number", "5"])
    run_command("program", {"sing": ("tests.cvae.test_cli:run", "Sing.")})
    assert capsys.readouterr().out == "did 5\n"


def test_without_a_command_the_commands_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["program"])
    run_command("program", {"sing": ("nowhere:run", "Sing a song.")})
    assert "Sing a song." in capsys.readouterr().out


def test_a_word_that_is_no_number_is_explained_by_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_options(run, "program", ["--number", "seven"])
    assert ended.value.code == 2 and "--number" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_whoever_is_ended_clears_up(tmp_path: Path, number: signal.Signals, code: int) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nfrom pathlib import Path\nfrom cvae.files import filling\n"
        "with filling(Path('out')) as folder:\n    Path('begun').touch()\n    time.sleep(60)\n"
    )
    code_of_program = (
        "import signal, sys; sys.argv = ['p', 'go']; import cvae.cli as c\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL); signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "c.run_command('p', {'go': ('slow:x', '')})"
    )
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{tmp_path}"}
    with subprocess.Popen([sys.executable, "-c", code_of_program], cwd=tmp_path, env=environment, stderr=-1) as process:
        while not (tmp_path / "begun").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (code, b"")
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


def test_who_was_told_to_outlive_a_terminal_does(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run_options(run, "program", ["--number", "101"])
    finally:
        signal.signal(signal.SIGHUP, before)
    assert capsys.readouterr().out == "did 101\n"
