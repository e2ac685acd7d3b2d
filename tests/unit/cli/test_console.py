"""Paths as people are shown them, and as commands they are told to type hold them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from rich.text import Text

from hdh_assets.cli.console import Context, shown, typed
from hdh_assets.core.home import Home

AWKWARD = Path("/srv/l'hôpital [bold]d'été[/] & fils/hub")


def test_a_path_is_shown_letter_by_letter() -> None:
    assert Text.from_markup(shown(AWKWARD)).plain == str(AWKWARD)


def test_a_path_to_type_is_one_word_of_the_shell() -> None:
    assert shlex.split(Text.from_markup(typed(AWKWARD)).plain) == [str(AWKWARD)]


def test_the_next_command_names_the_home_when_this_one_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/on/the/path/hdh"])
    assert Context(Home(AWKWARD)).hdh == "hdh"
    assert shlex.split(Context(Home(AWKWARD), is_named=True).hdh) == ["hdh", "--home", str(AWKWARD)]
    monkeypatch.setattr(sys, "argv", [".venv/bin/hdh"])
    assert Context(Home(AWKWARD)).hdh == ".venv/bin/hdh"
