"""What every command line of the project shares: how it finds its command, how it speaks and how it ends."""

import importlib
import inspect
import io
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from types import FrameType
from typing import NoReturn

from cvae.errors import InputError
from cvae.inputs import quoted

Commands = dict[str, tuple[str, str]]


def run_command(program: str, commands: Commands) -> None:
    """Call the function of the command that was typed, with its options read from the command line.

    Only the module of that command is imported, so that `--help` answers at once. What a user or a file got wrong
    ends in one sentence and exit code 2, Ctrl-C in exit code 130, another signal to end in 128 and its number.

    Args:
        program: What is typed before the command: `python -m training`.
        commands: For each command `module:function` and a sentence of help. The function takes one dataclass, whose
            fields become the options.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    asked = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if asked not in commands:
        width = max(map(len, commands))
        known = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in commands.items())
        print(f"usage: {program} COMMAND [--help]\n\ncommands:\n{known}")
        if asked not in ("-h", "--help"):
            fail(f"{quoted(asked)} is no command of {program}; expected {', '.join(commands)}.")
        return
    module, function = commands[asked][0].split(":")
    with _ending(program):
        run_options(getattr(importlib.import_module(module), function), f"{program} {asked}", sys.argv[2:])


def run_options(function: object, program: str, arguments: list[str]) -> None:
    """Call `function` with its one dataclass argument read from `arguments`.

    A dataclass may bring its own way to be read: `parse(program, arguments)` in its class.
    """
    assert callable(function)
    (parameter,) = inspect.signature(function).parameters.values()
    options = parameter.annotation
    with _ending(program):
        function(_parse(options, program, arguments))


def _parse(options: type, program: str, arguments: list[str]) -> object:
    """The options that were typed; tyro says what is wrong with a word, the options themselves what with a value."""
    import tyro  # half a second, in which Ctrl-C may come

    parse = getattr(options, "parse", None)
    told = io.StringIO()
    try:
        with redirect_stderr(told):
            return parse(program, arguments) if parse else tyro.cli(options, prog=program, args=arguments)
    except SystemExit as ended:
        fault = ended.__context__
        while fault is not None and not isinstance(fault, InputError):
            fault = fault.__context__
        if fault is not None:  # tyro has drawn a box around it
            raise fault from None
        sys.stderr.write(told.getvalue())
        raise


@contextmanager
def _ending(program: str) -> Iterator[None]:
    """Tell of faults in one sentence, and end on signals as on Ctrl-C: every `finally` runs, no folder is left half."""
    signals = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL]
    for number in signals:
        signal.signal(number, _end)
    try:
        yield
    except InputError as error:
        fail(str(error))
    except OSError as error:  # a full disk, a file without permission: the machine's word is the clearest
        fail(f"{error.filename or program}: {error.strerror or error}.")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def fail(sentence: str) -> NoReturn:
    """Say what was wrong and end with exit code 2."""
    print(f"Error: {sentence}", file=sys.stderr)
    sys.exit(2)
