"""What every command line of the project shares: how it finds its command, how it speaks and how it ends."""

import importlib
import inspect
import logging
import sys

import tyro

from cvae.errors import InputError

Commands = dict[str, tuple[str, str]]


def run_command(program: str, commands: Commands) -> None:
    """Call the function of the command that was typed, with its options read from the command line.

    Only the module of that command is imported, so that `--help` answers at once. What a user or a file got wrong
    ends in one sentence and exit code 2, Ctrl-C in exit code 130.

    Args:
        program: What is typed before the command: `python -m training`.
        commands: For each command `module:function` and a sentence of help. The function takes one dataclass, whose
            fields become the options.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    asked = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if asked not in commands:
        known = "\n".join(f"  {name:<10} {text}" for name, (_, text) in commands.items())
        print(f"usage: {program} COMMAND [--help]\n\ncommands:\n{known}")
        if asked not in ("-h", "--help"):
            fail(f"{asked!r} is no command of {program}; expected {', '.join(commands)}.")
        return
    module, function = commands[asked][0].split(":")
    run_options(getattr(importlib.import_module(module), function), f"{program} {asked}", sys.argv[2:])


def run_options(function: object, program: str, arguments: list[str]) -> None:
    """Call `function` with its one dataclass argument read from `arguments`.

    A dataclass may bring its own way to be read: `parse(program, arguments)` in its class.
    """
    assert callable(function)
    (parameter,) = inspect.signature(function).parameters.values()
    options = parameter.annotation
    try:
        parse = getattr(options, "parse", None)
        function(parse(program, arguments) if parse else tyro.cli(options, prog=program, args=arguments))
    except InputError as error:
        fail(str(error))
    except OSError as error:  # a full disk, a file without permission: the machine's word is the clearest
        fail(f"{error.filename or program}: {error.strerror or error}.")
    except KeyboardInterrupt:
        sys.exit(130)


def fail(sentence: str) -> None:
    """Say what was wrong and end with exit code 2."""
    print(f"Error: {sentence}", file=sys.stderr)
    sys.exit(2)
