"""The hub's small databases when they fail: which one it was and what to do, never what was being written."""

from __future__ import annotations

import sqlite3
import traceback
from pathlib import Path

import pytest

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from resources.ledger import Ledger
from resources.opposed_numbers import OpposedNumbers
from resources.registry import Registry

NUMBER = 8_714_225_190_331_627_441
STORES = [(Registry, "event log"), (Ledger, "intake ledger"), (OpposedNumbers, "opposed numbers")]


@pytest.mark.parametrize(("store", "name"), STORES)
def test_a_database_that_does_not_answer_is_told_by_its_setting(tmp_path: Path, store: type, name: str) -> None:
    with pytest.raises(HubError, match=name) as told:
        store(Home(tmp_path), Settings(registry_url="postgresql://nobody@127.0.0.1:1/none"))
    assert "registry_url" in (told.value.remedy or "")


@pytest.mark.parametrize(("store", "name"), STORES)
def test_a_file_that_is_no_database_is_told_by_its_folder(tmp_path: Path, store: type, name: str) -> None:
    home = Home(tmp_path)
    home.registry.mkdir()
    for file in ("events", "intake", "opposed"):
        (home.registry / f"{file}.sqlite").write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(HubError, match=name) as told:
        store(home, Settings())
    assert "registry/" in (told.value.remedy or "")


def test_a_number_that_cannot_be_written_is_not_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with OpposedNumbers(home, Settings()) as numbers:
        with sqlite3.connect(home.registry / "opposed.sqlite") as file:
            file.execute("DROP TABLE opposed_number")
        with pytest.raises(HubError) as told:
            numbers.put(1, [NUMBER], [])
    assert str(NUMBER) not in "".join(traceback.format_exception(told.value))
