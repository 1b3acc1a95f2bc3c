"""Each fault is met by the real client over real HTTP; only a full disk is the kernel's own."""

from collections.abc import Callable
from pathlib import Path

import hf_xet  # type: ignore[import-untyped]
import pytest
from huggingface_hub import HfApi, constants, hf_hub_download

from cvae.errors import InputError
from hub.faults import Unreachable, faults
from tests.hub.server import HubServer

WALK = "alice/walk"
INFO = "GET /api/models/alice/walk"


@pytest.fixture
def walk(hub_here: HubServer) -> HubServer:
    """A Hub with a model of alice, who asks."""
    hub_here.create(WALK)
    hub_here.commit(WALK, {"config.json": "{}"})
    return hub_here


def ask(revision: str | None = None, token: str | None = None) -> None:
    with faults(f"{WALK}@{revision}" if revision else WALK):
        HfApi(token=token).model_info(WALK, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT)


def take(name: str = "config.json", **options: object) -> None:
    with faults(WALK):
        hf_hub_download(WALK, name, **options)  # type: ignore[call-overload]


def said_by(action: Callable[[], object]) -> str:
    with pytest.raises(InputError) as refused:
        action()
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_without_a_fault_nothing_is_said(walk: HubServer) -> None:
    ask()
    take()
    assert len(walk.requests) > 0


def test_a_repository_that_is_not_there_says_to_check_the_name(hub_here: HubServer) -> None:
    assert "alice/walk is not on the Hub, or it is private" in said_by(ask)
    assert "check the name" in said_by(ask)


@pytest.mark.parametrize("somebody", [True, False])
def test_a_private_repository_says_to_log_in(walk: HubServer, somebody: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.repo(WALK).change_settings(private=True)
    monkeypatch.delenv("HF_TOKEN")
    token = walk.add_user("bob") if somebody else None
    expected = "private and not for you: check the name, or log in with `hf auth login` or set HF_TOKEN."
    assert expected in said_by(lambda: ask(token=token))


@pytest.mark.parametrize("somebody", [True, False])
def test_a_gated_repository_says_where_to_ask(walk: HubServer, somebody: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.repo(WALK).change_settings(gated="manual")
    monkeypatch.delenv("HF_TOKEN")
    token = walk.add_user("bob") if somebody else None
    assert f"ask for access on its page, {walk.url}/alice/walk, and log in" in said_by(lambda: take(token=token))


def test_a_disabled_repository_is_named(walk: HubServer) -> None:
    walk.faults.answer(INFO, 403, message="Access to this resource is disabled.")
    assert "alice/walk was disabled" in said_by(ask)


def test_a_revision_that_is_not_there_is_named(walk: HubServer) -> None:
    assert "alice/walk@v9 is not there: there is no such branch, tag or commit" in said_by(lambda: ask("v9"))


def test_a_file_that_is_not_there_is_told(walk: HubServer) -> None:
    assert "alice/walk lacks a file" in said_by(lambda: take("model.safetensors"))


def test_a_token_that_nobody_has_says_to_log_in_again(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_revokedrevokedrevoked")
    sentence = said_by(ask)
    assert "does not accept your token" in sentence
    assert "hf_revoked" not in sentence


def test_what_needs_an_account_says_to_log_in(hub_here: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")

    def publish() -> None:
        with faults("alice/new"):
            HfApi().create_repo("alice/new")

    assert "wants to know who asks for alice/new" in said_by(publish)
    assert "log in with `hf auth login` or set HF_TOKEN." in said_by(publish)


def test_a_token_without_the_right_is_told_what_the_hub_says(walk: HubServer) -> None:
    token = walk.add_user("alice", role="read")

    def publish() -> None:
        with faults("alice/new"):
            HfApi(token=token).create_repo("alice/new")

    assert 'forbids this for alice/new, "You must use a token with write access"' in said_by(publish)


def test_offline_mode_is_named(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set; unset it" in said_by(ask)


def test_a_file_that_is_not_in_the_cache_is_told(walk: HubServer) -> None:
    assert "alice/walk is not in the cache" in said_by(lambda: take(local_files_only=True))


def test_a_server_that_is_down_says_to_check_the_network(walk: HubServer) -> None:
    walk.stop()
    with pytest.raises(Unreachable, match=r"cannot be reached: check the network and HF_ENDPOINT"):
        ask()
    walk.start()


def test_an_address_that_is_none_names_the_variable() -> None:
    with pytest.raises(InputError, match=r"check HF_ENDPOINT"), faults(WALK):
        HfApi(endpoint="htp://127.0.0.1").model_info(WALK)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507])
def test_a_hub_that_is_out_of_order_says_to_try_later(walk: HubServer, status: int) -> None:
    walk.faults.answer(INFO, status)
    with pytest.raises(Unreachable, match=rf"out of order at the moment \({status}\); try again later\."):
        ask()


def test_too_many_requests_say_to_wait(walk: HubServer) -> None:
    walk.faults.answer(INFO, 429)
    with pytest.raises(Unreachable, match=r"too many requests from you; try again in a few minutes\."):
        ask()


def test_an_answer_that_takes_too_long_is_told(walk: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.2)
    walk.faults.delay(INFO, 1.0)
    with pytest.raises(Unreachable, match=r"did not answer in time"):
        ask()


@pytest.mark.parametrize("reset", [True, False])
def test_a_cut_connection_is_told(walk: HubServer, reset: bool) -> None:
    walk.faults.cut_answer(INFO, reset=reset)
    with pytest.raises(Unreachable, match=r"connection to the Hub was cut: check the network, and try again\."):
        ask()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "refuses alice/walk (400"),
        (404, "alice/walk is not on the Hub"),
        (409, "is there already, or is being changed"),
        (412, "was changed by somebody else at the same time"),
        (418, "refuses alice/walk (418"),
    ],
)
def test_every_other_refusal_is_one_sentence(walk: HubServer, status: int, expected: str) -> None:
    walk.faults.answer(INFO, status, message="Because.")
    assert expected in said_by(ask)
    assert "Because" in said_by(ask)


@pytest.mark.parametrize(
    "body", [b"no JSON", b"[1, 2]", b'{"siblings": 5}', b'{"siblings": [{}]}', b"\xff\xfe", b"null"]
)
def test_an_answer_without_sense_is_one_sentence(walk: HubServer, body: bytes) -> None:
    walk.faults.answer(INFO, 200, body=body)
    assert "What the Hub answers about alice/walk cannot be used" in said_by(ask)


def test_a_long_word_of_the_server_is_cut_and_made_one_line(walk: HubServer) -> None:
    walk.faults.answer(INFO, 400, body={"error": "a\n\x1b[31m" * 10_000})
    sentence = said_by(ask)
    assert len(sentence) < 600
    assert "\x1b" not in sentence


def test_a_token_in_the_servers_word_is_hidden(walk: HubServer) -> None:
    walk.faults.answer(INFO, 400, message=f"{walk.token} is not allowed, nor is hf_AnotherOne123")
    sentence = said_by(ask)
    assert walk.token not in sentence
    assert "hf_AnotherOne123" not in sentence
    assert "*** is not allowed" in sentence


def test_a_full_disk_says_to_free_some_room() -> None:
    def write() -> None:
        with faults(WALK), Path("/dev/full").open("w") as full:
            full.write("x")

    assert "The disk is full: alice/walk needs more room" in said_by(write)


def test_a_folder_that_cannot_be_written_is_named(walk: HubServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file" in said_by(lambda: take(cache_dir=tmp_path / "file" / "cache"))


@pytest.mark.parametrize("error", [RuntimeError, ConnectionError, hf_xet.XetAuthenticationError])
def test_a_transfer_by_xet_that_broke_off_says_what_else_to_try(error: type[Exception]) -> None:
    def transfer() -> None:
        with faults(WALK):
            raise error("Task error: CAS Client Error")  # as hf_xet 1.8 does, after minutes

    assert "CAS Client Error" in said_by(transfer)
    assert "try again, or with HF_HUB_DISABLE_XET=1" in said_by(transfer)


def test_a_sentence_of_our_own_passes_unchanged() -> None:
    with pytest.raises(InputError, match=r"^Ours\.$"), faults(WALK):
        raise InputError("Ours.")
