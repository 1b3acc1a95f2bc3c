import pytest

from hub.tokens import without_tokens


@pytest.mark.parametrize("variable", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SPACE_HF_TOKEN"])
def test_a_token_of_any_form_is_hidden(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, " secret-of-a-mirror\n")
    assert without_tokens("Bearer secret-of-a-mirror") == "Bearer ***"


def test_what_looks_like_a_token_is_hidden_and_nothing_else() -> None:
    assert without_tokens("hf_AnotherOne123, not half_hf_a nor hf") == "***, not half_hf_a nor hf"
