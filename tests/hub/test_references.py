from pathlib import Path

import pytest

from cvae.errors import InputError
from hub.references import Reference, as_folder, is_beginning_of_commit, is_commit, parse_reference

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "repo", "revision"),
    [
        ("alice/walk", "alice/walk", None),
        ("alice/walk@v1.0", "alice/walk", "v1.0"),
        ("alice/walk@feature/arms", "alice/walk", "feature/arms"),
        ("alice/walk@refs/pr/1", "alice/walk", "refs/pr/1"),
        (f"alice/walk@{COMMIT}", "alice/walk", COMMIT),
        ("A-1/_w.a-l_k9", "A-1/_w.a-l_k9", None),
        ("a/b", "a/b", None),
        (f"{'u' * 96}/{'n' * 96}", f"{'u' * 96}/{'n' * 96}", None),
    ],
)
def test_a_reference_is_a_name_and_maybe_a_revision(text: str, repo: str, revision: str | None) -> None:
    assert parse_reference(text) == Reference(repo, revision)
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "walk",
            "/walk",
            "alice/",
            "alice/walk/more",
            "alice//walk",
            "alice/wa lk",
            "ali\ncé/walk",
            "alice/walk\n",
        ),
        *("alice/-walk", "alice/walk.", "alice/wa--lk", "alice/wa..lk", "alice/walk.git", "älice/walk", "alice/walk\0"),
        *("../walk", "./walk", "https://host/alice/walk", "hf://alice/walk", f"alice/{'n' * 97}"),
    ],
)
def test_a_name_that_the_hub_would_not_take_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"cannot be the name of a model on the Hub; expected user/name"):
        parse_reference(text)


@pytest.mark.parametrize(
    "revision",
    ["", "a b", "..", "a..b", "/main", "main/", "a//b", "-x", "a.lock", "a\n", "a\0", "a@b", "a?b", "r" * 201],
)
def test_a_revision_that_git_would_not_take_is_refused(revision: str) -> None:
    with pytest.raises(InputError, match=r"cannot be the revision of a model on the Hub; expected user/name"):
        parse_reference(f"alice/walk@{revision}")


def test_a_refusal_of_a_long_text_is_short_and_one_line() -> None:
    with pytest.raises(InputError) as refused:
        parse_reference("x\r\n" * 10_000)
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["./walk", "../alice/walk", "/alice/walk", "~/walk", ".", "..", "alice\\walk"])
def test_what_is_written_as_a_path_is_a_path(text: str) -> None:
    assert as_folder(text) == Path(text)


def test_what_exists_as_a_path_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_folder("alice/walk") is None
    (tmp_path / "alice" / "walk").mkdir(parents=True)
    assert as_folder("alice/walk") == Path("alice/walk")


def test_a_path_object_is_a_path_even_if_nothing_is_there() -> None:
    assert as_folder(Path("alice/walk")) == Path("alice/walk")


@pytest.mark.parametrize("text", ["alice/walk@main", "a\0b", "x" * 10_000])
def test_what_cannot_be_a_path_is_none(text: str) -> None:
    assert as_folder(text) is None


def test_only_a_whole_hash_is_a_commit() -> None:
    assert is_commit(COMMIT)
    assert not any(is_commit(text) for text in (None, "main", COMMIT[:12], COMMIT + "0", COMMIT.upper()))


def test_seven_digits_begin_a_commit_and_forty_are_one() -> None:
    assert all(is_beginning_of_commit(COMMIT[:digits]) for digits in (7, 12, 39))
    assert not any(is_beginning_of_commit(text) for text in (None, "main", COMMIT[:6], COMMIT, COMMIT[:12].upper()))


def test_a_version_is_called_by_the_beginning_of_its_commit() -> None:
    assert Reference("alice/walk", "main").at(COMMIT) == "alice/walk@0123456789ab"
