"""The event log is closed by whoever opened it, also when it could not be read: each holds a connection."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hdh_assets.cli.main import app
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions import hub
from resources.registry import Registry


@pytest.fixture
def still_open(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[Registry]:
    """The registries opened since and not closed."""
    opened: list[Registry] = []
    make, close = Registry.__init__, Registry.close

    def made(self: Registry, home: Home, settings: Settings, *, moved: bool = False) -> None:
        make(self, home, settings, moved=moved)
        opened.append(self)

    def closed(self: Registry) -> None:
        close(self)
        opened.remove(self)

    monkeypatch.setattr(Registry, "__init__", made)
    monkeypatch.setattr(Registry, "close", closed)
    return opened


@pytest.mark.parametrize(
    "command", ["audit verify", "audit log", "project list", "project show x", "committee list", "permit list"]
)
def test_a_command_closes_the_log(home: Home, still_open: list[Registry], command: str) -> None:
    CliRunner().invoke(app, ["--home", str(home.root), *command.split()])
    assert still_open == []


def test_a_code_location_that_cannot_read_it_closes_it(
    home: Home, still_open: list[Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        assert len(still_open) == 1
        raise HubError("the event log is an older one")

    monkeypatch.setattr(hub, "read_permits", refuse)
    assert hub.granted_permits(home, {}) == []
    assert still_open == []
