"""Extracts that hold somebody who objected, or whose permit ended, are emptied; the others stay as they are."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from test_extract import EVERYTHING, Hub

from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.opposition import PersonKey, record
from hdh_assets.extracts import build, ended
from hdh_assets.extracts.due import delivered_releases
from hdh_assets.extracts.ended import spaces_to_clear, withdraw_ended
from hdh_assets.extracts.opposed import revision_to_withdraw_for, withdraw_opposed
from hdh_assets.extracts.rebuild import rebuild_extract
from hdh_assets.extracts.taken_back import take_back
from hdh_assets.extracts.versions import find_version, leftovers, list_versions, recorded_manifests, verify_version
from hdh_assets.extracts.withdrawal import EXTRACT_WITHDRAWN
from hdh_assets.governance import decisions
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import find_permit, today
from hdh_assets.sources.opposed.apply import apply_oppositions
from resources.lake import open_lake
from resources.oppositions import open_book
from resources.registry import Registry
from resources.releases import Release, make_release
from resources.removals import Step, note
from tests.children import die
from tests.extract_hub import dossier, grant

POINTS = ["withdrawal.recorded", "withdrawal.noticed", "withdrawal.emptying", "withdrawal.before_forgetting"]


@pytest.fixture
def hub(home: Home, settings: Settings) -> Hub:
    """A hub whose lake the trusted third party can work on."""
    return Hub(home, settings)


def oppose(hub: Hub, person: int, kind: str = "snds_psa") -> None:
    """Record the opposition of the person of that number in the tests' tables, by the pseudonym their lines have."""
    book = open_book(hub.home)
    pseudonym = str(hub.query(f"SELECT md5('PSA {person}')::UUID")[0][0])
    key = PersonKey(kind, pseudonym)
    with book.held():
        book.write(record(book.read(), [(key,)], kind, (), datetime.now(UTC))[0])


def follow(hub: Hub) -> None:
    """What the trusted third party does."""
    apply_oppositions(hub.home, hub.settings, hub.datasets, run_id="test")


def release(hub: Hub, revision: int, above: int = 0) -> Release:
    """The next release; these OMOP tables are made by hand, nothing has to follow."""
    lake = open_lake(hub.home, hub.settings)
    with lake.writer() as engine:
        note(engine, revision, Step.standardised)
    return make_release(lake, checks={}, oppositions=revision, above=above)


def test_a_version_that_holds_the_person_is_withdrawn_and_replaced_and_the_others_stay(hub: Hub) -> None:
    lines = {"snds_dcir.er_prs_f": "all", "snds_dcir.er_pha_f": "all"}
    held = hub.deliver("held", tables=lines)
    other = hub.deliver("other", tables={"omop.care_site": "all"})
    elsewhen = hub.deliver("elsewhen", tables=lines, period={"from": "2030-01-01", "to": "2030-12-31"})
    oppose(hub, 7)
    follow(hub)
    assert revision_to_withdraw_for(hub.home, hub.settings) == 1
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == ["held/v1"]
    assert revision_to_withdraw_for(hub.home, hub.settings) is None

    assert {path.name for path in held.folder.iterdir()} == {"WITHDRAWN.md", "manifest.json"}
    notice = (held.folder / "WITHDRAWN.md").read_text("utf-8")
    assert "opposée" in notice
    assert "objected" in notice
    assert [verify_version(version) for version in list_versions(hub.home)] == [[], [], []]
    assert not other.is_withdrawn
    assert not elsewhen.is_withdrawn
    with pytest.raises(RefusedError, match=r"held/v1 was withdrawn on .*: somebody objected"):
        rebuild_extract(hub.home, hub.settings, hub.datasets, "held/v1")
    with pytest.raises(RefusedError, match="release 1 was retired"):
        hub.build("held", find_permit(hub.registry, "held"))

    hub.release = release(hub, 1)
    again = hub.build("held", find_permit(hub.registry, "held")).version
    assert (again.number, again.basis.release) == (2, 2)
    assert again.rows["snds_dcir.er_prs_f"] < held.rows["snds_dcir.er_prs_f"]
    assert again.rows["snds_dcir.er_pha_f"] < held.rows["snds_dcir.er_pha_f"]
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "held/v2") == []
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == []
    events = hub.registry.events(EXTRACT_WITHDRAWN)
    assert [(event.subject, event.data["version"], event.data["reason"]) for event in events] == [
        ("held", 1, "opposition")
    ]


def end_by(kind: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the permit of the project `one`."""
    match kind:
        case "revoked":
            hub.registry.act("t", decisions.revoke("one", reason="never published", today=today()))
        case "given up":
            hub.registry.act("t", decisions.withdraw("one", reason="no money left", today=today()))
        case _:
            late = today() + timedelta(days=2000)
            for module in (ended, build):
                monkeypatch.setattr(module, "today", lambda: late)


@pytest.mark.parametrize(
    ("kind", "reason"), [("revoked", "never published"), ("given up", "no money left"), ("expired", "its last day was")]
)
def test_what_a_project_keeps_beyond_its_permit_is_withdrawn(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, kind: str, reason: str
) -> None:
    mine, other = hub.deliver("one", tables=EVERYTHING), hub.deliver("other", retention_until="2999-12-31")
    permit = find_permit(hub.registry, "one")
    assert withdraw_ended(hub.home, hub.settings) == []
    end_by(kind, hub, monkeypatch)
    with pytest.raises(RefusedError, match="one") as told:
        hub.build("one", permit)
    assert kind == "expired" or told.value.remedy == "see `hdh project show one`"
    assert spaces_to_clear(hub.home, hub.settings) == ["one"]
    assert withdraw_ended(hub.home, hub.settings) == ["one/v1"]

    assert {path.name for path in mine.folder.iterdir()} == {"WITHDRAWN.md", "manifest.json"}
    notice = (mine.folder / "WITHDRAWN.md").read_text("utf-8")
    assert reason in notice
    assert notice.startswith("# Extraction retirée")
    assert verify_version(other) == []
    assert not other.is_withdrawn
    assert withdraw_ended(hub.home, hub.settings) == []
    with pytest.raises(RefusedError, match=r"one/v1 was withdrawn on .*: its permit ended"):
        rebuild_extract(hub.home, hub.settings, hub.datasets, "one/v1")


def test_a_new_permit_gives_a_new_version_under_the_same_pseudonyms(hub: Hub) -> None:
    first = hub.deliver("one", tables={"omop.person": "all"})
    query = f"SELECT list(person_id ORDER BY person_id) FROM read_parquet('{first.folder}/data/omop.person.parquet')"
    persons = duckdb.sql(query).fetchall()
    hub.registry.act("t", decisions.revoke("one", reason="by mistake", today=today()))
    withdraw_ended(hub.home, hub.settings)
    again = hub.deliver("one", tables={"omop.person": "all"})
    assert (again.name, again.basis.permit) == ("one/v2", 2)
    assert duckdb.sql(query.replace("/v1/", "/v2/")).fetchall() == persons
    assert withdraw_ended(hub.home, hub.settings) == []


@pytest.mark.parametrize("kind", ["revoked", "given up"])
def test_a_permit_granted_since_keeps_nothing_of_one_that_ended(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Nobody looked in between: the end is in the event log all the same."""
    mine = hub.deliver("one", tables=EVERYTHING)
    end_by(kind, hub, monkeypatch)
    grant(hub.registry, dossier("one"))
    shutil.rmtree(mine.folder / "data")
    with pytest.raises(RefusedError, match="permit 1 of one ended on"):
        rebuild_extract(hub.home, hub.settings, hub.datasets, "one/v1")
    assert withdraw_ended(hub.home, hub.settings) == ["one/v1"]
    assert (mine.folder / "WITHDRAWN.md").exists()
    again = hub.build("one", find_permit(hub.registry, "one")).version
    assert withdraw_ended(hub.home, hub.settings) == []
    assert verify_version(again) == []


def test_a_version_of_an_amended_permit_stays(hub: Hub) -> None:
    first = hub.deliver("one", tables={"omop.person": "all"})
    for step in (
        decisions.amend(dossier("one", tables={"omop.cost": "all"}), today()),
        decisions.give_opinion("one", favourable=True, reason="", today=today()),
        decisions.grant("one", expires=None, conditions="", today=today()),
    ):
        assert withdraw_ended(hub.home, hub.settings) == []
        hub.registry.act("t", step)
    assert withdraw_ended(hub.home, hub.settings) == []
    assert verify_version(first) == []
    with pytest.raises(RefusedError, match="one/permit-1 was replaced by one/permit-2"):
        hub.build("one", Permit.model_validate(first.manifest["permit"]))


def test_a_version_of_an_earlier_permit_is_taken_back_by_decision(hub: Hub) -> None:
    hub.deliver("one", tables=EVERYTHING)
    with pytest.raises(RefusedError, match="the last version under the permit in force"):
        take_back(hub.home, hub.settings, "one/v1", "too wide")
    for step in (
        decisions.amend(dossier("one", tables={"omop.person": "all"}), today()),
        decisions.give_opinion("one", favourable=True, reason="", today=today()),
        decisions.grant("one", expires=None, conditions="", today=today()),
    ):
        hub.registry.act("t", step)
    second = hub.build("one", find_permit(hub.registry, "one")).version
    with pytest.raises(RefusedError, match="taking back an extract carries its reason"):
        take_back(hub.home, hub.settings, "one/v1", " - ")
    die("withdrawal.recorded", take_back, hub.home, hub.settings, "one/v1", "wider than the permit")
    assert take_back(hub.home, hub.settings, "one/v1", "again").is_withdrawn

    first = find_version(hub.home, "one/v1")
    assert {path.name for path in first.folder.iterdir()} == {"WITHDRAWN.md", "manifest.json"}
    notice = (first.folder / "WITHDRAWN.md").read_text("utf-8")
    assert "Motif : wider than the permit" in notice
    assert verify_version(first) == verify_version(second) == []
    with pytest.raises(RefusedError, match=r"it was taken back \(wider than the permit\)"):
        rebuild_extract(hub.home, hub.settings, hub.datasets, "one/v1")
    with pytest.raises(RefusedError, match="one/v2 is the last version under the permit in force"):
        take_back(hub.home, hub.settings, "one", "both")
    assert delivered_releases(list_versions(hub.home)) == {("one", 1): 0, ("one", 2): 1}
    assert len(hub.registry.events(EXTRACT_WITHDRAWN)) == 1
    assert spaces_to_clear(hub.home, hub.settings) == []


@pytest.mark.parametrize("point", POINTS[:3])
def test_killed_while_withdrawing_for_a_permit_the_next_run_finishes_it(hub: Hub, point: str) -> None:
    """Even when the project has a permit again."""
    hub.deliver("one", tables=EVERYTHING)
    hub.registry.act("t", decisions.revoke("one", reason="by mistake", today=today()))
    die(point, withdraw_ended, hub.home, hub.settings)
    grant(hub.registry, dossier("one"))
    assert withdraw_ended(hub.home, hub.settings) == ["one/v1"]
    version = find_version(hub.home, "one/v1")
    assert leftovers(version) == []
    assert "by mistake" in (version.folder / "WITHDRAWN.md").read_text("utf-8")
    assert len(hub.registry.events(EXTRACT_WITHDRAWN)) == 1
    assert spaces_to_clear(hub.home, hub.settings) == []


def test_what_a_killed_build_left_does_not_outlive_the_permit(hub: Hub) -> None:
    grant(hub.registry, dossier("one"))
    left = hub.home.projects / "one" / ".v1.12345678.partial" / "data"
    left.mkdir(parents=True)
    (left / "omop.person.parquet").touch()
    assert spaces_to_clear(hub.home, hub.settings) == []
    hub.registry.act("t", decisions.revoke("one", reason="by mistake", today=today()))
    assert spaces_to_clear(hub.home, hub.settings) == ["one"]
    assert withdraw_ended(hub.home, hub.settings) == []
    assert list((hub.home.projects / "one").glob(".v*")) == []
    assert spaces_to_clear(hub.home, hub.settings) == []


def test_whatever_a_project_put_in_its_space_is_removed_and_what_it_leads_to_is_not(hub: Hub, tmp_path: Path) -> None:
    version, elsewhere = hub.deliver("one", tables=EVERYTHING), tmp_path / "elsewhere"
    (elsewhere / "v2").mkdir(parents=True)
    (elsewhere / "v2" / "kept").touch()
    (version.folder / "data" / "folder").symlink_to(elsewhere)
    (version.folder / "data" / "file").symlink_to(elsewhere / "v2" / "kept")
    (version.folder / "link").symlink_to(elsewhere / "v2" / "kept")
    os.mkfifo(version.folder / "data" / "pipe")
    (version.folder.parent / "v2").symlink_to(elsewhere / "v2")
    (version.folder.parent / ".v3.x.partial").symlink_to(elsewhere / "v2")
    hub.registry.act("t", decisions.revoke("one", reason="by mistake", today=today()))
    assert withdraw_ended(hub.home, hub.settings) == ["one/v1"]
    assert {path.name for path in version.folder.iterdir()} == {"WITHDRAWN.md", "manifest.json"}
    assert (elsewhere / "v2" / "kept").read_bytes() == b""


def test_a_space_that_cannot_be_cleared_keeps_no_other_from_it(hub: Hub) -> None:
    for project in ("one", "two"):
        hub.deliver(project, tables=EVERYTHING)
        hub.registry.act("t", decisions.revoke(project, reason="by mistake", today=today()))
    lock = hub.home.projects / "one" / ".lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(HubError, match=r"from the spaces of one \(IsADirectoryError\)"):
        withdraw_ended(hub.home, hub.settings)
    assert find_version(hub.home, "two/v1").is_withdrawn
    assert spaces_to_clear(hub.home, hub.settings) == ["one"]


def test_a_manifest_that_is_none_any_more_hides_nothing(hub: Hub) -> None:
    version, other = hub.deliver("one", tables=EVERYTHING), hub.deliver("two", tables={"omop.care_site": "all"})
    manifest = version.folder / "manifest.json"
    for said in ("", "[]", '{"version": 1}', '{"basis": {"permit": 1, "release": "x"}}', "[" * 100_000):
        manifest.unlink()
        manifest.write_text(said)
        damaged = find_version(hub.home, "one/v1")
        assert (damaged.is_readable, damaged.rows) == (False, {}), said[:50]
        assert verify_version(damaged) == ["manifest.json cannot be read"], said[:50]
        assert [found.name for found in list_versions(hub.home)] == ["one/v1", "two/v1"], said[:50]
    assert hub.build("one", find_permit(hub.registry, "one")).version.number == 2
    oppose(hub, 7)
    follow(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == ["one/v1", "one/v2"]
    assert not find_version(hub.home, other.name).is_withdrawn


def test_a_manifest_written_anew_is_not_the_one_delivered_and_can_be_put_back(hub: Hub) -> None:
    version = hub.deliver("one", tables=EVERYTHING)
    recorded = recorded_manifests(hub.registry.events())["one", 1]
    assert verify_version(version, recorded) == []
    manifest = version.folder / "manifest.json"
    manifest.unlink()
    manifest.write_text(json.dumps(version.manifest))
    assert verify_version(find_version(hub.home, "one/v1")) == []
    altered = verify_version(find_version(hub.home, "one/v1"), recorded)
    assert altered == ["manifest.json is not the one that was delivered"]
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "one/v1") == []
    assert verify_version(find_version(hub.home, "one/v1"), recorded) == []


def test_a_permit_that_ends_while_its_extract_is_made_delivers_nothing_and_leaves_nothing(hub: Hub) -> None:
    permit = grant(hub.registry, dossier("one", tables=EVERYTHING))

    def end(_table: str, done: int, _all: int) -> None:
        if done == 1:
            hub.registry.act("t", decisions.revoke("one", reason="found wanting", today=today()))

    with pytest.raises(RefusedError, match="project one is revoked"):
        build.build_extract(hub.home, hub.settings, hub.datasets, permit, hub.release, on_progress=end)
    assert [path.name for path in (hub.home.projects / "one").iterdir()] == [".lock"]


def test_nothing_is_put_back_without_a_permit_or_while_an_opposition_waits(hub: Hub) -> None:
    for project in ("ended", "held"):
        version = hub.deliver(project, tables=EVERYTHING)
        shutil.rmtree(version.folder)
    hub.registry.act("t", decisions.revoke("ended", reason="misuse", today=today()))
    with pytest.raises(RefusedError, match="no permit is in force"):
        rebuild_extract(hub.home, hub.settings, hub.datasets, "ended/v1")
    hub.registry.append("opposition.recorded", "oppositions", "t", {"numbers": [1], "revision": 1, "datasets": []})
    with pytest.raises(RefusedError, match="does not follow yet"):
        rebuild_extract(hub.home, hub.settings, hub.datasets, "held/v1")
    assert list_versions(hub.home) == []


def test_no_extract_is_made_between_an_opposition_and_the_removal_of_the_rows(hub: Hub) -> None:
    permit = grant(hub.registry, dossier("early", tables=EVERYTHING))
    hub.registry.append("opposition.recorded", "oppositions", "t", {"numbers": [1], "revision": 1, "datasets": []})
    with pytest.raises(RefusedError, match="does not follow yet"):
        hub.build("early", permit)
    assert list_versions(hub.home) == []


@pytest.mark.parametrize("name", ["dictionary.csv", "manifest.json"])
def test_a_version_whose_papers_were_altered_hides_nobody(hub: Hub, name: str) -> None:
    """A project that rewrites what its extract is said to hold, or to come from, does not keep it."""
    version = hub.deliver("one", tables=EVERYTHING)
    hub.deliver("two", tables={"omop.care_site": "all"})
    path = version.folder / name
    written = path.read_text("utf-8").replace("project's", "hub's").replace('"release": 1', '"release": 2')
    path.unlink()
    path.write_text(written, "utf-8")
    oppose(hub, 7)
    follow(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == ["one/v1"]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_withdrawing_the_next_run_finishes_it(hub: Hub, point: str) -> None:
    hub.deliver("one", tables=EVERYTHING)
    oppose(hub, 7)
    follow(hub)
    die(point, withdraw_opposed, hub.home, hub.settings, hub.datasets)
    assert revision_to_withdraw_for(hub.home, hub.settings) == 1
    withdraw_opposed(hub.home, hub.settings, hub.datasets)
    version = find_version(hub.home, "one/v1")
    assert version.is_withdrawn
    assert leftovers(version) == []
    assert len(Registry(hub.home, hub.settings).events(EXTRACT_WITHDRAWN)) == 1
    assert revision_to_withdraw_for(hub.home, hub.settings) is None


def test_a_notice_that_somebody_else_left_is_none(hub: Hub) -> None:
    version = hub.deliver("one", tables={"snds_dcir.er_prs_f": "all"})
    (version.folder / "WITHDRAWN.md").write_text("mine", "utf-8")
    assert not version.is_withdrawn
    assert delivered_releases([version]) == {("one", 1): 1}
    oppose(hub, 7)
    follow(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == ["one/v1"]
    assert version.is_withdrawn
    assert "objected" in (version.folder / "WITHDRAWN.md").read_text("utf-8")
    assert verify_version(version) == []
