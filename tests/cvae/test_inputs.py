from pathlib import Path

import pytest

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits, quoted, read_head, recognise, width_by_height


@pytest.mark.parametrize(
    ("head", "kind", "title"),
    [
        (b"\x89PNG\r\n\x1a\n", "picture", "a PNG picture"),
        (b"\xff\xd8\xff\xe0", "picture", "a JPEG picture"),
        (b"GIF89a", "picture", "a GIF"),
        (b"RIFF\x0a\0\0\0WEBPVP8 ", "picture", "a WebP picture"),
        (b"BM\x0a\n\0\0\0\0\0\0", "picture", "a BMP picture"),
        (b"\0\0\0\x18ftypisom", "video", "an MP4 or MOV video"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video", "an MP4 or MOV video"),
        (b"\x1a\x45\xdf\xa3", "video", "a WebM or MKV video"),
        (b"RIFF\x0a\n\0\0AVI LIST", "video", "an AVI video"),
        (b"PK\x03\x04", "zip", "a zip"),
        (b"PK\x05\x06", "zip", "a zip"),
        (b"\x93NUMPY\x01\0", "array", "a .npy array"),
        (b"\0\0\0\x18ftypheic", None, "a HEIC or AVIF picture"),
        (b"II*\0", None, "a TIFF picture"),
        (b"%PDF-1.7", None, "a PDF"),
        (b"\x1f\x8b\x08", None, "an archive other than a zip"),
        (b"\n <!DocType HTML>", None, "a web page"),
        (b'\xef\xbb\xbf\r\n{"people": []}', "json", "a JSON text"),
        (b" [\n", "json", "a JSON text"),
        (b"[\0", None, "no file that we know"),
        (b"BM is how this text begins", None, "text"),
        ("größer".encode(), None, "text"),
        (b"\x00\x01\x02", None, "no file that we know"),
    ],
)
def test_files_are_known_by_their_first_bytes(head: bytes, kind: str | None, title: str) -> None:
    file_type = recognise(head)
    assert (file_type.kind, file_type.title) == (kind, title)


def test_names_are_shown_short_and_on_one_line() -> None:
    assert quoted("a\nb\x1b[31m\u202e.png") == '"a?b?[31m?.png"'
    assert len(quoted("x" * 5000 + ".png")) == 59


def test_a_size_is_said_with_the_width_first() -> None:
    assert width_by_height((64, 128)) == "128x64"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'There is no file "nowhere.mp4"'):
        read_head(tmp_path / "nowhere.mp4", LIMITS)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.gif").touch()
    with pytest.raises(InputError, match=r'"a.gif" is empty \(0 bytes\)'):
        read_head(tmp_path / "a.gif", LIMITS)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no file; expected a GIF"):
        read_head(tmp_path, LIMITS)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="File name too long"):
        read_head(tmp_path / ("x" * 300), LIMITS)
    with pytest.raises(InputError, match="There is no file"):
        read_head(tmp_path / "a\0b", LIMITS)


def test_a_large_file_is_refused_with_both_sizes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(3 * 2**20))
    with pytest.raises(InputError, match=r'"a.mp4" has 3 MB; at most 1.5 MB are accepted'):
        read_head(tmp_path / "a.mp4", Limits(max_bytes=3 * 2**19))


def test_messages_name_no_folder_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_head(tmp_path / "nowhere.mp4", LIMITS)
    assert str(tmp_path) not in str(caught.value)
