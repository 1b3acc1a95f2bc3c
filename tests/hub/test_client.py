import logging

import pytest
from huggingface_hub import close_session, get_session
from huggingface_hub.utils import http_backoff

from hub.client import SECONDS_OF_SILENCE
from tests.hub.server import HubServer


def test_a_client_in_place_of_one_that_lost_its_connection_gives_up_too(hub_here: HubServer) -> None:
    for _ in range(2):
        assert get_session().timeout.read == SECONDS_OF_SILENCE
        close_session()  # as the client itself does then


def test_a_warning_shows_no_signature_and_comes_once(hub_here: HubServer, caplog: pytest.LogCaptureFixture) -> None:
    hub_here.faults.answer("GET /contents/", 503, times=1)
    http_backoff("GET", f"{hub_here.url}/contents/a?signature=secret", base_wait_time=0)
    assert f"HTTP Error 503 thrown while requesting GET {hub_here.url}/contents/a\n" in caplog.text
    assert "secret" not in caplog.text
    assert logging.getLogger("huggingface_hub").handlers == []  # what reaches the root's is shown by that
