"""What several homes can reach is one's: a registry and a lake catalogue in PostgreSQL, whose home may move."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from time import process_time

import psycopg
import pytest
from intake_world import World

from hdh_assets.cli.check import look
from hdh_assets.cli.console import Context
from hdh_assets.cli.init import initialise
from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.storage import opened_instance
from hdh_assets.sources.intake.recover import recover
from resources import owner
from resources.lake import open_lake
from resources.ledger import Ledger
from resources.opposed_numbers import OpposedNumbers
from resources.registry import Registry
from tests.settings import forget_settings

pytestmark = pytest.mark.postgres
OTHER_MACHINE = "elsewhere:0123456789ab"


def copied(home: Home, name: str) -> Home:
    """A copy of the home beside it, which `cp -a` makes."""
    return Home(Path(shutil.copytree(home.root, home.root.with_name(name), symlinks=True)))


def use(home: Home, url: str) -> list[str]:
    """Everything of the registry that refuses this home; each is tried."""
    settings, refused = Settings(registry_url=url), {}
    for store in (Registry, Ledger, OpposedNumbers):
        try:
            store(home, settings)
        except ConfigurationError as error:
            refused[store.__name__] = error.remedy or ""
    for remedy in refused.values():
        assert "another registry_url" in remedy
        assert "hdh init --moved" in remedy
    return list(refused)


def test_a_second_hub_on_one_registry_is_refused_by_all_that_is_in_it(tmp_path: Path, postgres_url: str) -> None:
    """It would close the other's attempts, forget whom the other still looks for, and deliver under its permits."""
    first, second = (World.create(tmp_path / name) for name in ("a", "b"))
    first = replace(first, settings=Settings(registry_url=postgres_url))
    second = replace(second, settings=Settings(registry_url=postgres_url))
    attempt = Ledger(first.home, first.settings).start(
        digest="d", dataset="care", period="2024-01", producer="p", run_id="r", run_folder="f", folder="x"
    )
    with OpposedNumbers(first.home, first.settings) as numbers:
        numbers.put(3, {42}, ["care"])
    with pytest.raises(ConfigurationError, match=rf"another hub, in {first.home.root}"):
        recover(second.home, second.settings, second.datasets)
    assert use(second.home, postgres_url) == ["Registry", "Ledger", "OpposedNumbers"]
    assert [each.id for each in Ledger(first.home, first.settings).under_way()] == [attempt.id]
    with OpposedNumbers(first.home, first.settings) as numbers:
        assert numbers.waiting() == {3: {42}}


def test_a_registry_made_before_there_were_claims_is_that_of_the_first_that_comes(
    tmp_path: Path, postgres_url: str
) -> None:
    first, second = Home(tmp_path / "a"), Home(tmp_path / "b")
    assert use(first, postgres_url) == []
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE {owner.CLAIMS}")
    assert use(second, postgres_url) == []
    assert len(use(first, postgres_url)) == 3


def test_a_home_restored_where_it_was_or_moved_goes_on_and_its_copy_is_refused(
    tmp_path: Path, postgres_url: str
) -> None:
    home = Home(tmp_path / "hub")
    assert use(home, postgres_url) == []
    copy = copied(home, "copy")
    assert len(use(copy, postgres_url)) == 3
    home.root.rename(tmp_path / "away")
    restored = copied(copy, "hub")
    shutil.rmtree(tmp_path / "away")
    assert use(restored, postgres_url) == []
    assert len(use(copy, postgres_url)) == 3
    restored.root.rename(tmp_path / "moved")
    assert use(Home(tmp_path / "moved"), postgres_url) == []
    assert len(use(copied(copy, "hub"), postgres_url)) == 3, "a copy where it was is none of it"
    again = copied(Home(tmp_path / "moved"), "again")
    shutil.rmtree(tmp_path / "moved")
    assert len(use(again, postgres_url)) == 3, "nobody can tell it from a copy, from a machine that does not see all"
    Registry(again, Settings(registry_url=postgres_url), moved=True).close()
    assert use(again, postgres_url) == []


def test_check_tells_the_second_hub_of_a_registry_at_once(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_settings(monkeypatch)
    contexts = [Context(Home(tmp_path / name)) for name in ("a", "b")]
    for context in contexts:
        initialise(context)
        context.home.settings_file.write_text(f'registry_url = "{postgres_url}"', "utf-8")
    found = {}
    for context in contexts:
        begun = process_time()
        found[context.home.root.name] = {each.check: each for each in look(Context(context.home))}
        assert process_time() - begun < 1.5
    assert all(each.passed for each in found["a"].values())
    assert [name for name, each in found["b"].items() if not each.passed] == ["event log"]
    assert f"another hub, in {contexts[0].home.root}" in found["b"]["event log"].detail


def test_a_second_hub_on_one_storage_of_dagster_is_refused_wherever_it_is_opened(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would run the other's sensors, and call the other's runs dead."""
    forget_settings(monkeypatch)
    homes = [Home(tmp_path / name) for name in ("a", "b")]
    for home in homes:
        initialise(Context(home))
        home.settings_file.write_text(f'dagster_postgres = "{postgres_url}"', "utf-8")
    first, second = (Context(home) for home in homes)
    assert all(each.passed for each in look(first))
    assert [each.check for each in look(second) if not each.passed] == ["Dagster"]
    for use_it in (initialise, lambda each: opened_instance(each.home).__enter__()):
        with pytest.raises(ConfigurationError, match=rf"another hub, in {homes[0].root} on") as told:
            use_it(second)
        assert "another dagster_postgres" in str(told.value)
    initialise(second, moved=True)
    assert [each.check for each in look(first) if not each.passed] == ["Dagster"]


@pytest.fixture
def hub(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A hub with lake catalogue and registry in PostgreSQL, and a file in its lake."""
    forget_settings(monkeypatch)
    home = Home(tmp_path / "hub")
    home.root.mkdir()
    home.settings_file.write_text(f'lake_catalog = "{postgres_url}"\nregistry_url = "{postgres_url}"', "utf-8")
    home.settings_file.chmod(0o600)
    context = Context(home)
    initialise(context)
    write(context)
    return context


def write(context: Context) -> None:
    with open_lake(context.home, context.settings).writer() as engine:
        engine.execute("CREATE OR REPLACE TABLE lake.main.sample AS SELECT 1 AS n")


def read(context: Context) -> int:
    with open_lake(context.home, context.settings).reader() as engine:
        return int(engine.execute("SELECT count(*) FROM lake.main.sample").fetchall()[0][0])


def test_a_copy_on_another_machine_is_refused_until_it_is_said_to_have_moved(
    hub: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the former folder is not to be seen: the copy would erase what the original reads."""
    copy = Context(copied(hub.home, "copy"))
    away = tmp_path / "not seen from there"
    hub.home.root.rename(away)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(owner, "_machine", lambda: OTHER_MACHINE)
        for use_it in (read, write, initialise):
            with pytest.raises(ConfigurationError, match=rf"another hub, in {hub.home.root} on") as told:
                use_it(copy)
            assert "hdh init --moved" in str(told.value)
        wrong = [each.check for each in look(Context(copy.home)) if not each.passed]
        assert wrong == ["lake", "event log"]
    away.rename(hub.home.root)
    write(hub)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(owner, "_machine", lambda: OTHER_MACHINE)
        shutil.rmtree(copy.home.root)
        moved = Context(copied(hub.home, "copy"))
        initialise(moved, moved=True)
        write(moved)
        assert all(each.passed for each in look(Context(moved.home)))
    for use_it in (read, write):
        with pytest.raises(ConfigurationError, match=rf"another hub, in {moved.home.root} on elsewhere"):
            use_it(hub)
    assert len(use(hub.home, hub.settings.registry_url)) == 3


def test_one_home_mounted_by_several_machines_is_one(hub: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(owner, "_machine", lambda: OTHER_MACHINE)
        write(hub)
        assert use(hub.home, hub.settings.registry_url) == []
    write(hub)
    assert read(hub) == 1


def test_a_hub_without_the_files_cannot_take_a_catalogue_over(hub: Context, tmp_path: Path) -> None:
    other = Context(Home(tmp_path / "other"))
    other.home.root.mkdir()
    shutil.copy(hub.home.settings_file, other.home.settings_file)
    with pytest.raises(ConfigurationError, match="that of the hub in"):
        initialise(other, moved=True)
    write(hub)


def test_the_catalogue_of_before_there_were_claims_is_its_own_homes(hub: Context, tmp_path: Path) -> None:
    with psycopg.connect(hub.settings.lake_catalog, autocommit=True) as connection:
        connection.execute(f"DROP TABLE {owner.CLAIMS}")
    copy = Context(copied(hub.home, "copy"))
    with pytest.raises(ConfigurationError, match=rf"that of the hub in {hub.home.root}"):
        write(copy)
    write(hub)
    with pytest.raises(ConfigurationError, match="another hub"):
        read(copy)


def test_a_number_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    home = Home(tmp_path / "hub")
    assert owner.owner_of(home, make=False).number == ""
    first = owner.owner_of(home)
    assert owner.owner_of(home) == first == owner.Owner.parse(str(first))
    assert [path.name for path in home.lake.iterdir()] == ["hub"]
    old = owner.Owner.parse("abc /a folder/of old")
    assert (old.number, old.root, old.stamp) == ("abc", "/a folder/of old", "")


def test_a_claim_from_before_there_were_stamps_is_brought_up_to_date(tmp_path: Path) -> None:
    settings = Settings(lake_data=str(tmp_path / "files"))
    lake, claim = open_lake(Home(tmp_path / "hub"), settings), tmp_path / "files" / "hub.csv"
    with lake.writer():
        own = claim.read_text()
    claim.write_text(f"{own.split()[0]} {lake.home.root}\n")
    with lake.writer():
        assert claim.read_text() == own
