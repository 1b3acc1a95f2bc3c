from dataclasses import dataclass

import pytest

from cvae.cli import run_command, run_options
from cvae.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """Do one thing."""

    number: int
    """Which number."""


def run(options: Options) -> None:
    if options.number == 1:
        raise InputError("The number is 1; expected another.")
    if options.number == 2:
        raise KeyboardInterrupt
    if options.number == 3:
        raise PermissionError(13, "Permission denied", "results.gif")
    print(f"did {options.number}")


def test_options_come_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    run_options(run, "program", ["--number", "7"])
    assert capsys.readouterr().out == "did 7\n"


@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [
        ("1", 2, "Error: The number is 1; expected another.\n"),
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
    assert "'dance' is no command of program; expected sing." in capsys.readouterr().err


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
