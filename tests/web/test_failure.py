import pytest

from web.failure import failure_text


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("/home/user/.cache/hub: No such file or directory.", "hub: No such file or directory."),
        ('There is no "/data/me/run", and ./run is none.', "There is no &quot;run&quot;, and ./run is none."),
        ("Ask on its page, https://hub/alice/walk, for alice/walk@v1.", "its page, https://hub/alice/walk, for alice/"),
        ("<b> & more", "&lt;b&gt; &amp; more"),
    ],
)
def test_the_page_tells_the_reason_as_text_and_no_folder_of_the_machine(reason: str, shown: str) -> None:
    text = failure_text(reason)
    assert shown in text
    assert "/home/user" not in text and "/data/me" not in text
