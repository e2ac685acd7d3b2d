"""What people are shown, and what machines read: paths, and JSON that any reader takes."""

from __future__ import annotations

import io
import json
import math
import shlex
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from hdh_assets.cli import console
from hdh_assets.cli.console import Context, print_facts, print_json, print_json_rows, print_rows, shown, typed
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


def test_a_narrow_terminal_breaks_no_title_in_mid_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "out", Console(width=42, file=(written := io.StringIO())))
    long = "a text of many words that takes all the room that there is"
    print_rows([{"name": "a", "rows rejected": long, "completeness": long, "checked": long}], as_json=False)
    titles = " ".join(written.getvalue().split())
    assert all(word in titles for word in ("rejected", "completeness", "checked"))


ROW = {
    "extract": "demo_diabetes/v1",
    "folder": Path("/srv/health/hub/projects/demo_diabetes/v1"),
    "delivered_at": datetime(2024, 1, 31, 10, 32, tzinfo=UTC),
    "rows": 1234567,
    "event": "opposition.recorded",
    "state": "retired: holds somebody who objected to the use of their data",
}


@pytest.mark.parametrize("width", [30, 60, 80, 100, 160])
def test_dates_counts_and_paths_are_never_broken(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr(console, "out", Console(width=width, file=(written := io.StringIO())))
    print_rows([ROW, ROW | {"delivered_at": None, "rows": 7}], as_json=False, title="extracts")
    said = written.getvalue()
    whole = ["demo_diabetes/v1", str(ROW["folder"]), "2024-01-31 10:32", "1 234 567", "opposition.recorded"]
    assert [text for text in whole if text not in said] == []
    assert all(word in said for word in ("retired:", "somebody", "objected", "delivered", "extracts"))


def test_facts_within_facts_are_shown_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "out", Console(width=200, file=(written := io.StringIO())))
    print_facts({"population": {"sex": ["female", "male"], "age": {"min": 18, "max": None}}, "none": []})
    assert [line.split(maxsplit=1)[1].strip() for line in written.getvalue().splitlines()] == [
        "sex female, male; age (min 18; max –)",
        "–",
    ]


def test_what_others_wrote_steers_no_terminal_and_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "out", Console(width=200, force_terminal=True, file=(written := io.StringIO())))
    title = "\x1b]0;owned\x07\x9b31m[red]A study[/] of \u202eamhtsa"
    print_facts({"title": title, "team": [{"name": title}]})
    print_rows([{"title": title}], as_json=False)
    said = Text.from_ansi(written.getvalue()).plain
    assert said.count("]0;owned31m[red]A study[/] of amhtsa") == 3
    assert not any(sign in written.getvalue() for sign in "\x07\x9b\u202e")
    assert "\x1b]" not in written.getvalue()


def test_json_is_json_whatever_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    values = {
        "numbers": [math.nan, math.inf, -math.inf, 1.5, Decimal("2.50"), Decimal(3), 2**70],
        "by day": {date(2024, 1, 1): (1, None, True), 7: b"\x01"},
    }
    print_json(values)

    def no_constant(name: str) -> None:
        pytest.fail(f"{name} is no JSON")

    assert json.loads(capsys.readouterr().out, parse_constant=no_constant) == {
        "numbers": ["nan", "inf", "-inf", 1.5, 2.5, 3, 2**70],
        "by day": {"2024-01-01": [1, None, True], "7": "01"},
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_written_one_by_one_are_the_same_document(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"n": n, "said": "one\u2028two\nthree\x85", "day": date(2024, 1, 2), "list": [1, {}]} for n in range(count)]
    print_json(rows)
    whole = capsys.readouterr().out
    print_json_rows(iter(rows))
    assert capsys.readouterr().out == whole
