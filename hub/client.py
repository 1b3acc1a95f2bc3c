"""The Hub's client as it is used here: patient within bounds, fetching in small pieces, and brief in what it logs."""

import logging
import re

import httpx2
from huggingface_hub import constants, set_client_factory
from huggingface_hub.utils._http import default_client_factory

SECONDS_OF_SILENCE = 120.0
"""After which the Hub is given up, where a request does not say otherwise."""
_QUERY = re.compile(r"\?\S*")


def _impatient_client() -> httpx2.Client:
    client = default_client_factory()
    client.timeout = SECONDS_OF_SILENCE
    return client


def _without_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = _QUERY.sub("", record.getMessage()), ()
    return True


set_client_factory(_impatient_client)  # also for a client that takes the place of one which lost its connection
constants.DOWNLOAD_CHUNK_SIZE = 2**16  # instead of 10 MB: the bar moves, and little is lost where a download is cut
logging.getLogger("httpx2").setLevel(logging.WARNING)  # else every request would be a line on the terminal
for _name in ("utils._http", "file_download"):
    logging.getLogger(f"huggingface_hub.{_name}").addFilter(_without_queries)
logging.getLogger("huggingface_hub").handlers.clear()  # our commands show what is logged
