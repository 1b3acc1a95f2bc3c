import pytest

from web import worker


@pytest.fixture(autouse=True)
def interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told often, so that tests need not wait."""
    monkeypatch.setattr(worker, "INTERVAL", 0.005)
