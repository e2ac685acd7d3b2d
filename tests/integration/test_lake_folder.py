"""Whose the lake's files are: one hub's, where its catalogue says, as its settings say."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hdh_assets.cli.check import look
from hdh_assets.cli.console import Context
from hdh_assets.cli.init import initialise
from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.home import Home, Settings
from resources.lake import Lake, open_lake
from resources.maintenance import maintain


def _fill(lake: Lake) -> None:
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA IF NOT EXISTS lake.omop")
        engine.execute("CREATE OR REPLACE TABLE lake.omop.person AS SELECT 1 AS person_id")


def _rows(lake: Lake) -> int:
    with lake.reader() as engine:
        return int(engine.execute("SELECT count(*) FROM lake.omop.person").fetchall()[0][0])


def test_another_hub_is_refused_where_one_has_its_files(tmp_path: Path) -> None:
    """The maintenance of either would remove what the other wrote."""
    settings = Settings(lake_data=str(tmp_path / "files"))
    lake, other = (open_lake(Home(tmp_path / name), settings) for name in ("hub", "other"))
    with lake.writer():
        pass  # an empty lake has its folder already
    with pytest.raises(ConfigurationError, match=f"another hub, in {lake.home.root}"):
        _fill(other)
    _fill(lake)
    shutil.copytree(lake.home.root, tmp_path / "copy")
    copy = open_lake(Home(tmp_path / "copy"), settings)
    with pytest.raises(ConfigurationError, match="another hub"):
        maintain(copy, now=datetime.now(UTC) + timedelta(days=9))
    maintain(lake, now=datetime.now(UTC) + timedelta(days=9))
    assert _rows(lake) == _rows(copy) == 1


@pytest.mark.postgres
def test_a_home_with_its_catalogue_in_postgresql_may_move_and_has_it_alone(tmp_path: Path, postgres_url: str) -> None:
    settings = Settings(lake_catalog=postgres_url)
    lake = open_lake(Home(tmp_path / "hub"), settings)
    _fill(lake)
    with pytest.raises(ConfigurationError, match=f"another hub, in {lake.home.root}"):
        _fill(open_lake(Home(tmp_path / "other"), settings))
    shutil.copytree(lake.home.root, tmp_path / "copy")
    with pytest.raises(ConfigurationError, match="another hub"):
        _fill(open_lake(Home(tmp_path / "copy"), settings))
    lake.home.root.rename(tmp_path / "moved")
    with pytest.raises(ConfigurationError, match="another hub"):
        _fill(open_lake(Home(tmp_path / "other"), settings))
    moved = open_lake(Home(tmp_path / "moved"), settings)
    _fill(moved)
    assert _rows(moved) == 1


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_lake_stays_as_encrypted_as_it_was_made(tmp_path: Path, encrypted: bool) -> None:
    home = Home(tmp_path / "hub")
    context = Context(home)
    initialise(context)
    shutil.rmtree(home.lake)
    _fill(open_lake(home, Settings(lake_encrypted=encrypted)))
    home.settings_file.write_text(f"lake_encrypted = {str(not encrypted).lower()}", "utf-8")
    [found] = [finding for finding in look(Context(home)) if finding.check == "lake"]
    if encrypted:  # files go on being encrypted, whatever the setting
        assert (found.passed, "catalogue, encrypted" in found.detail) == (True, True)
    else:
        assert (found.passed, "set lake_encrypted back to false" in found.detail) == (False, True)


def test_settings_that_hold_a_password_are_for_one_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "hub")
    initialise(Context(home))
    assert [path.stat().st_mode & 0o077 for path in (home.settings_file, home.dagster / "dagster.yaml")] == [0, 0]
    home.settings_file.chmod(0o644)
    assert _home_is_sound(home)
    monkeypatch.setenv("HDH_DAGSTER_POSTGRES", "postgresql://hub:secret@127.0.0.1:1/lake")
    assert not _home_is_sound(home)


def _home_is_sound(home: Home) -> bool:
    [found] = [finding for finding in look(Context(home)) if finding.check == "home"]
    assert found.passed or "chmod 600" in found.detail
    assert "secret" not in found.detail
    return found.passed


def test_an_address_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "hub")
    initialise(Context(home))
    monkeypatch.setenv("HDH_REGISTRY_URL", "postgresql://hub:secret@127.0.0.1:port9/lake")
    [found] = [finding for finding in look(Context(home)) if finding.check == "event log"]
    assert (found.passed, "correct registry_url" in found.detail, "secret" in found.detail) == (False, True, False)
