"""What the Hub's client raises, in one sentence each that says what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

import hub.client  # noqa: F401  # before the first request
from cvae.errors import InputError
from hub.references import NoSuchModel
from hub.tokens import without_tokens
from hub.words import one_line

LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
_MOST_LETTERS = 300


class Unreachable(InputError):
    """The Hub gave no answer at all, or said that it is out of order: nothing is known of what lies there."""


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Around calls of the Hub's client alone: every error becomes one sentence.

    Args:
        what: What is asked for or written to, as it begins a sentence: `user/name` or `user/name@revision`.

    Raises:
        Unreachable: If the Hub cannot be asked.
        NoSuchModel: If it knows of no such repository.
        InputError: If it refuses, or its answer cannot be used.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # whatever a hostile answer makes the client raise
        raise _kind(error)(without_tokens(_sentence(error, what))) from None


def _kind(error: Exception) -> type[InputError]:
    if isinstance(error, HfHubHTTPError):
        out_of_order = error.response.status_code >= 500 or error.response.status_code == 429
        missing = isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError)
        return Unreachable if out_of_order else NoSuchModel if missing else InputError
    unanswered = isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError | httpx2.TransportError)
    return Unreachable if unanswered else InputError


def _sentence(error: Exception, what: str) -> str:
    if isinstance(error, HfHubHTTPError):
        return _refusal(error, what)
    match error:
        case OfflineModeIsEnabled():
            return "The Hub is not asked, because HF_HUB_OFFLINE is set; unset it to go online."
        case LocalEntryNotFoundError():
            return f"{what} is not in the cache, and the Hub cannot be reached: check the network, and try again."
        case httpx2.TimeoutException():
            return "The Hub did not answer in time: check the network, or try again later."
        case httpx2.ReadError() | httpx2.RemoteProtocolError() | httpx2.WriteError():
            return "The connection to the Hub was cut: check the network, and try again."
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return (
                f"The address of the Hub cannot be used: check HF_ENDPOINT; expected {constants._HF_DEFAULT_ENDPOINT}."
            )
        case httpx2.TransportError():
            place = "" if "HF_ENDPOINT" not in os.environ else " and HF_ENDPOINT"
            return f"The Hub cannot be reached: check the network{place}, and try again."
        case RuntimeError() | OSError(errno=None):  # of Xet, after minutes of trying; a file of another size
            said = _said(str(error))
            return f"The transfer broke off{said}; check the network, and try again, or with HF_HUB_DISABLE_XET=1."
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return f"The disk is full: {what} needs more room; free some, or set HF_HOME to a folder on another disk."
        case OSError(errno=int()):
            return f"{error.filename or what}: {error.strerror}; HF_HOME names another folder for the Hub's files."
    return f"What the Hub answers about {what} cannot be used ({type(error).__name__}{_said(str(error))})."


def _refusal(error: HfHubHTTPError, what: str) -> str:
    status = error.response.status_code
    match error:
        case GatedRepoError():
            page = f"{constants.ENDPOINT}/{what.partition('@')[0]}"
            return f"{what} is gated: ask for access on its page, {page}, and {LOG_IN}."
        case DisabledRepoError():
            return f"{what} was disabled by the Hub or its author; choose another."
        case RevisionNotFoundError():
            return f"{what} is not there: there is no such branch, tag or commit; check the revision after the @."
        case EntryNotFoundError():
            return f"{what} lacks a file that was asked for{_said(error.server_message)}."
        case RepositoryNotFoundError():
            return f"{what} is not on the Hub, or it is private and not for you: check the name, or {LOG_IN}."
    said = _said(error.server_message)
    if status == 401 and "authorization" not in error.response.request.headers:
        return f"The Hub wants to know who asks for {what}{said}: {LOG_IN}."
    sentences = {
        401: f"The Hub does not accept your token{said}: {LOG_IN}, with a token that is valid.",
        403: f"The Hub forbids this for {what}{said}: use a token with the right to do it, and {LOG_IN}.",
        404: f"{what} is not on the Hub{said}: check the name.",
        409: f"{what} is there already, or is being changed by somebody else{said}; try again.",
        412: f"{what} was changed by somebody else at the same time{said}; try again.",
        429: f"The Hub has had too many requests from you{said}; try again in a few minutes.",
    }
    if status >= 500:
        return f"The Hub is out of order at the moment ({status}); try again later."
    return sentences.get(status, f"The Hub refuses {what} ({status}{said}).")


def _said(text: str | None) -> str:
    """What the server or the client said, short and harmless, to stand inside a sentence."""
    line = one_line(text or "", _MOST_LETTERS)
    return f', "{line}"' if line else ""
