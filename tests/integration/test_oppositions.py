"""Oppositions on a real lake: rows go and stay away, come back when asked, whatever is killed and whatever arrives."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from intake_world import NIR, PERSONS, VISITS, World, column

from hdh_assets.catalog.entry import Entry, write_entry
from hdh_assets.catalog.measure import measure
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.opposition import RECORDED
from hdh_assets.governance.oppositions import fold_oppositions
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.run import retake
from hdh_assets.sources.opposed.apply import Applied, apply_oppositions
from hdh_assets.sources.opposed.record import record_oppositions, withdraw_opposition
from resources.keys import open_keys
from resources.lake import open_lake
from resources.maintenance import KEPT, maintain
from resources.oppositions import open_book, recorded_revision
from resources.pseudonyms import open_pseudonymiser
from resources.registry import Registry
from resources.releases import Release, find, latest, make_release
from resources.removals import Step, followed, note
from tests.children import begin, die

POINTS = [
    "opposition.in_book",
    "opposition.announced",
    "opposition.in_book_before_lake",
    "opposition.before_commit",
    "opposition.applied",
]
MANY = "ID;NIR;NAME;SEX\n" + "".join(f"p{n};;;1\n" for n in range(1, 31))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A hub that took in a first delivery of p1 and p2."""
    made = World.create(tmp_path)
    made.deliver()
    return made


def oppose(world: World, *identifiers: str, kind: str = "person", datasets: tuple[str, ...] = ()) -> list[int]:
    found = record_oppositions(world.home, world.settings, [(i, "") for i in identifiers], kind, datasets)
    return [entry.number for entry, _ in found]


def follow(world: World) -> Applied:
    return apply_oppositions(world.home, world.settings, world.datasets, run_id="run")


def persons(world: World) -> set[str]:
    """Who is in any table of the lake."""
    rows = world.rows("SELECT id::VARCHAR FROM lake.care.persons UNION SELECT person::VARCHAR FROM lake.care.visits")
    return {row[0] for row in rows}


def pseudonym(world: World, identifier: str) -> str:
    keys = open_pseudonymiser(open_keys(world.home))
    return str(UUID(keys.pseudonymise(pl.Series([identifier]), "person")[0]))


def test_rows_of_the_person_leave_every_table_and_nothing_else_does(world: World) -> None:
    oppose(world, "p1")
    done = follow(world)
    assert (done.deliveries_thinned, persons(world)) == (1, {pseudonym(world, "p2")})
    assert len(world.visits()) == 1
    assert follow(world).deliveries_thinned == 0


def test_nothing_that_the_catalogue_tells_moves_for_somebody_who_objects(world: World) -> None:
    """Beside what was told before, or the receipt, it would tell how much of it was theirs."""
    before = measured(world)
    assert (before.rows, before.persons) == (5, 2)
    oppose(world, "p1")
    follow(world)
    assert len(world.visits()) == 1
    assert measured(world) == before
    retake(world.home, world.settings, world.datasets, "care", "2024-01", run_id="again")
    assert measured(world) == before
    again = world.deliver(VISITS.replace(";p2;", ";p1;"), period="2024-02")
    after = measured(world)
    assert (after.rows, again.row_count, after.persons) == (10, 5, 1)


def measured(world: World) -> Entry:
    """The entry, written and as it is whenever it was made."""
    with open_lake(world.home, world.settings).writer() as engine:
        entry = measure(engine, world.datasets["care"])
        write_entry(engine, entry)
    deliveries = tuple(each.model_copy(update={"loaded_at": ""}) for each in entry.deliveries)
    return entry.model_copy(update={"measured_at": "", "deliveries": deliveries})


@pytest.mark.parametrize("written", [NIR, "1 85 05 99 123 456 71", NIR[:13]])
def test_a_nir_that_only_the_vault_knows_designates_the_person(world: World, written: str) -> None:
    oppose(world, written, kind="nir")
    follow(world)
    assert persons(world) == {pseudonym(world, "p2")}


def test_later_deliveries_and_retakes_keep_the_person_out(world: World) -> None:
    oppose(world, NIR, kind="nir")
    follow(world)
    receipt = world.deliver(
        VISITS.replace("1;p1", "11;p1").replace("2;p2", "12;p2").replace("3;p1", "13;p1"), period="2024-02"
    )
    assert (receipt.status, receipt.problems, receipt.row_count) == ("accepted", (), 5)
    assert receipt.opposed is not None
    assert receipt.opposed.rows is None
    retake(world.home, world.settings, world.datasets, "care", "2024-01", run_id="again")
    assert persons(world) == {pseudonym(world, "p2")}
    assert {row[5] for row in world.visits()} == {"2024-01", "2024-02"}


def test_somebody_unknown_is_kept_out_when_they_appear(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    oppose(world, NIR, kind="nir")
    oppose(world, "p2")
    follow(world)
    world.deliver()
    assert persons(world) == set()


def test_a_receipt_counts_opposed_rows_only_from_eleven_persons_on(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    oppose(world, *(f"p{n}" for n in range(1, 11)))
    visits = "NUM;PERSON;DAY;COST;NOTE\n" + "".join(f"{n};p{n};31/01/2024;1;\n" for n in range(1, 31))
    few = world.deliver(visits, MANY)
    oppose(world, "p11")
    many = world.deliver(visits, MANY, period="2024-02")
    assert few.opposed is not None
    assert many.opposed is not None
    assert (few.opposed.rows, many.opposed.rows) == (None, 22)
    assert few.row_count == many.row_count == 60
    assert "22" in many.opposed.words.fr
    page = (world.home.outbox / "clinic" / "care" / "2024-02").rglob("receipt.md")
    assert "personnes opposées" in next(page).read_text("utf-8")


def test_recording_twice_or_nobody_changes_nothing(world: World) -> None:
    assert oppose(world, "p1") == oppose(world, "p1") == [1]
    assert follow(world).revision == follow(world).revision == 1
    with Registry(world.home, world.settings) as registry:
        assert len(registry.events(RECORDED)) == 1


def test_while_the_event_log_does_not_answer_the_book_stays_as_it_is(world: World) -> None:
    (number,) = oppose(world, "p2")
    before = open_book(world.home).read()
    silent = Settings(registry_url="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(HubError, match="event log"):
        record_oppositions(world.home, silent, [("p1", "")], "person")
    with pytest.raises(HubError, match="event log"):
        withdraw_opposition(world.home, silent, number)
    assert open_book(world.home).read() == before


def test_the_registry_and_the_files_say_nothing_of_who(world: World) -> None:
    oppose(world, "p1")
    oppose(world, NIR, kind="nir")
    follow(world)
    secrets = [NIR.encode(), NIR[:13].encode(), pseudonym(world, "p1").encode()]
    with Registry(world.home, world.settings) as registry:
        log = repr(registry.events()).encode()
    assert not [secret for secret in secrets if secret in log]
    for path in (world.home.vault / "oppositions.book", *world.home.registry.iterdir(), *world.home.outbox.rglob("*")):
        if path.is_file():
            assert not [secret for secret in secrets if secret in path.read_bytes()], path


def test_identities_kept_before_a_descriptor_had_more_of_them_are_looked_at(world: World) -> None:
    content = world.datasets["care"].model_dump(mode="json")
    more = [
        column("OTHER_ID", "string(36)", optional=True, role="person_key", identifier_type="person"),
        column("OTHER_NIR", "string(15)", optional=True, role="direct_identifier", identifier_type="nir"),
    ]
    content["tables"][0]["columns"] += more
    world.datasets["care"] = Dataset.model_validate(content)
    oppose(world, NIR, kind="nir")
    follow(world)
    assert persons(world) == {pseudonym(world, "p2")}


def test_an_opposition_to_another_dataset_leaves_this_one(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    world.deliver()
    oppose(world, "p1", datasets=("elsewhere",))
    follow(world)
    assert len(persons(world)) == 2


def test_an_opposition_recorded_while_a_delivery_is_loaded_is_obeyed(tmp_path: Path) -> None:
    """The delivery waits at its end for the book, held here, and then sees what was written meanwhile."""
    world, book = World.create(tmp_path), None
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    oppose(world, "nobody")
    book = open_book(world.home)
    intake = threading.Thread(target=world.tick)
    with book.held():
        intake.start()
        intake.join(1.5)
        assert intake.is_alive()
    oppose(world, "p1")
    intake.join(60)
    follow(world)
    assert persons(world) == {pseudonym(world, "p2")}


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_the_next_run_finishes_it(world: World, point: str) -> None:
    die(point, _oppose_and_follow, world)
    if not open_book(world.home).read().entries:
        pytest.fail("the opposition was lost")
    restarted(world)
    assert persons(world) == {pseudonym(world, "p2")}
    with Registry(world.home, world.settings) as registry:
        assert [entry.number for entry in fold_oppositions(registry.events())] == [1]
        assert len(registry.events(RECORDED)) == 1
        recorded = recorded_revision(registry)
    with world.lake().reader() as engine:
        assert not followed(engine).is_waiting(recorded)


def test_killed_between_the_book_and_the_commit_of_a_delivery_nobody_comes_in(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    oppose(world, NIR, kind="nir")
    follow(world)
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    die("intake.after_oppositions", World.tick, world)
    assert persons_or_none(world) == set()
    restarted(world)
    assert [receipt.status for receipt in world.tick()] == ["accepted"]
    restarted(world)
    assert persons(world) == {pseudonym(world, "p2")}


def test_nothing_is_released_before_the_rows_are_gone_and_the_release_that_held_them_is_retired(world: World) -> None:
    first = make_release(world.lake(), checks={})
    oppose(world, "p1")
    with Registry(world.home, world.settings) as registry:
        recorded = recorded_revision(registry)
    with pytest.raises(RefusedError, match="does not follow yet"):
        make_release(world.lake(), checks={}, oppositions=recorded)
    follow(world)
    assert latest(world.lake()) is None
    with pytest.raises(RefusedError, match="release 1 was retired"):
        find(world.lake(), first.number)
    with pytest.raises(RefusedError, match="OMOP tables do not follow"):
        make_release(world.lake(), checks={}, oppositions=recorded)
    standardised(world, recorded)
    assert make_release(world.lake(), checks={}, oppositions=recorded).number == 2


def test_a_release_that_held_nobody_who_objects_stays(world: World) -> None:
    first = make_release(world.lake(), checks={})
    oppose(world, "p9")
    follow(world)
    standardised(world, 1)
    assert find(world.lake()).number == first.number
    assert make_release(world.lake(), checks={}, oppositions=1).number == first.number


def test_a_release_whose_delivery_was_replaced_since_is_looked_into(tmp_path: Path) -> None:
    """The head no longer holds p1, the release does, under a patient number that only it links to the person."""
    world = World.create(tmp_path)
    world.deliver(minutes=0)
    make_release(world.lake(), checks={})
    world.deliver(VISITS.replace("p1", "p2"), "ID;NIR;NAME;SEX\np2;2700175123456;Durand;2\n", minutes=5)
    make_release(world.lake(), checks={})
    oppose(world, "p1")
    done = follow(world)
    assert (done.deliveries_thinned, done.releases_retired) == (0, 1)
    assert find(world.lake()).number == 2


def test_the_pseudonym_leaves_the_disk(world: World) -> None:
    """Bytes of every Parquet file of the lake, before and after maintenance."""
    secret = UUID(pseudonym(world, "p1")).bytes
    make_release(world.lake(), checks={})
    assert holds(world.home, secret)
    oppose(world, "p1")
    follow(world)
    standardised(world, 1)
    make_release(world.lake(), checks={}, oppositions=1)
    maintain(world.lake(), now=datetime.now(UTC) + KEPT + timedelta(days=1))
    assert not holds(world.home, secret)
    assert pseudonym(world, "p1").encode() not in world.lake().catalog_file.read_bytes()
    assert holds(world.home, UUID(pseudonym(world, "p2")).bytes)
    assert make_release(world.lake(), checks={}, oppositions=1).number == 2
    assert persons(world) == {pseudonym(world, "p2")}


def test_killed_while_files_are_written_anew_the_next_release_is_made(world: World) -> None:
    make_release(world.lake(), checks={})
    oppose(world, "p1")
    follow(world)
    standardised(world, 1)
    die("release.before_number", _release, world)
    assert latest(world.lake()) is None
    assert _release(world).number == 2


def holds(home: Home, secret: bytes) -> bool:
    """Whether a value of a UUID column is in a data file, compressed or not: each is read column by column."""
    found = False
    for path in (home.lake / "data").rglob("*.parquet"):
        frame = pl.read_parquet(path, columns=None)
        columns = [frame[name].drop_nulls().to_list() for name in frame.columns if frame[name].dtype == pl.Binary]
        found |= any(secret in column for column in columns) or secret in path.read_bytes()
    return found


def standardised(world: World, revision: int) -> None:
    """This lake has no OMOP table to bring up to date."""
    with world.lake().writer() as engine:
        note(engine, revision, Step.standardised)


def test_what_a_killed_writer_of_the_book_left_goes_and_what_one_writes_now_stays(world: World) -> None:
    oppose(world, "p1")
    left = world.home.vault / f".oppositions.book.{'a' * 32}.tmp"
    with open_book(world.home).held():
        left.touch()
        waiting = begin(recover, world.home, world.settings, world.datasets)
        waiting.join(0.5)
        assert left.exists()
    waiting.join(60)
    assert not left.exists()
    left.touch()
    assert recover(world.home, world.settings, world.datasets) == [
        "1 unfinished copy(ies) of the book of oppositions removed from the vault"
    ]
    assert len(open_book(world.home).read().standing) == 1


def persons_or_none(world: World) -> set[str]:
    with open_lake(world.home, world.settings).reader() as engine:
        tables = engine.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'care'").fetchone()
    return persons(world) if tables and tables[0] else set()


def restarted(world: World) -> None:
    """What a restarted hub does first."""
    recover(world.home, world.settings, world.datasets)
    follow(world)


def _release(world: World) -> Release:
    return make_release(world.lake(), checks={}, oppositions=1)


def _oppose_and_follow(world: World) -> None:
    oppose(world, "p1")
    follow(world)
