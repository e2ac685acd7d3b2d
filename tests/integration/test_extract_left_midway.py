"""Versions that were damaged, killed midway or given other papers: whole again, absent, or followed by the next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from test_extract import EVERYTHING, Hub
from typer.testing import CliRunner

from hdh_assets.cli.console import Context
from hdh_assets.cli.extracts import extract_app
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.documents import PAPERS
from hdh_assets.extracts.ended import withdraw_ended
from hdh_assets.extracts.papers import keep_papers, put_papers
from hdh_assets.extracts.rebuild import rebuild_extract
from hdh_assets.extracts.versions import empty, list_versions, recorded_manifests, verify_version
from hdh_assets.governance import decisions
from hdh_assets.governance.register import find_permit, today
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import find
from tests.children import die, exit_code
from tests.extract_hub import dossier, grant


@pytest.fixture
def own_hub(home: Home, settings: Settings) -> Hub:
    return Hub(home, settings)


def test_a_damaged_version_that_cannot_be_made_again_is_followed_by_the_next(
    own_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules changed since: other data under the papers of the first would be no extract that was ever delivered."""
    first = own_hub.deliver("changed", tables={"omop.person": "all"}, population={"age": {"min": 40, "max": 60}})
    damaged = first.folder / "data" / "omop.person.parquet"
    damaged.chmod(0o600)
    damaged.write_bytes(b"PAR1")
    manifest = (first.folder / "manifest.json").read_bytes()
    by_year = "2019 - year_of_birth BETWEEN 40 AND 60"
    monkeypatch.setattr("hdh_assets.extracts.persons.population_conditions", lambda *_: [by_year])
    second = own_hub.build("changed", find_permit(own_hub.registry, "changed"))
    assert (second.version.name, second.is_new) == ("changed/v2", True)
    recorded = recorded_manifests(own_hub.registry.events())
    assert verify_version(second.version, recorded["changed", 2]) == []
    assert (first.folder / "manifest.json").read_bytes() == manifest
    assert not own_hub.build("changed", find_permit(own_hub.registry, "changed")).is_new


def test_papers_of_another_delivery_are_not_put_beside_the_data(tmp_path: Path) -> None:
    """A registry from another day may keep those of a version of the same number."""
    home = Home(tmp_path)
    folders = [tmp_path / name for name in ("delivered", "other")]
    for folder in folders:
        folder.mkdir()
        for name in PAPERS:
            (folder / name).write_text(f"{name} {folder.name}", "utf-8")
    delivered, other = folders
    keep_papers(home, "study", 1, delivered)
    put_papers(home, "study", 1, sha256_of(other / "manifest.json"), other)
    assert {(other / name).read_text("utf-8") for name in PAPERS} == {f"{name} other" for name in PAPERS}
    put_papers(home, "study", 1, sha256_of(delivered / "manifest.json"), other)
    assert {(other / name).read_text("utf-8") for name in PAPERS} == {f"{name} delivered" for name in PAPERS}


@pytest.mark.parametrize("point", ["extract.table", "extract.written", "extract.placed"])
def test_killed_anywhere_an_extract_is_whole_or_absent_and_the_next_build_finishes_it(own_hub: Hub, point: str) -> None:
    grant(own_hub.registry, dossier("one", tables=EVERYTHING))
    die(point, _build_one, own_hub.home.root)
    versions = list_versions(own_hub.home)
    assert len(versions) == (1 if point == "extract.placed" else 0)
    assert all(verify_version(version) == [] for version in versions)
    assert exit_code(_build_one, own_hub.home.root) == 0
    assert [v.name for v in list_versions(own_hub.home)] == ["one/v1"]
    assert not list((own_hub.home.projects / "one").glob(".v*.partial"))
    assert len(own_hub.registry.events("extract.delivered")) == 1
    assert json.loads((own_hub.home.projects / "one" / "v1" / "manifest.json").read_text())["version"] == 1


def _build_one(root: Path) -> None:
    """The extract of that project, as a hub does that was just started."""
    home = Home(root)
    settings = Settings.load(home)
    permit = find_permit(Registry(home, settings), "one")
    build_extract(home, settings, load_datasets(), permit, find(open_lake(home, settings)))


def test_what_the_event_log_or_the_project_space_has_alone_is_told(own_hub: Hub) -> None:
    """A version renamed by hand has a sound manifest, and its own number is missing."""
    for project in ("lost", "renamed", "sound"):
        own_hub.deliver(project, tables={"omop.person": "all"})
    spaces = own_hub.home.projects
    shutil.rmtree(spaces / "lost" / "v1")
    (spaces / "renamed" / "v1").rename(spaces / "renamed" / "v7")
    told = {row["extract"]: row["problem"] for row in verified(own_hub, code=1)}
    assert list(told) == ["lost/v1", "renamed/v1", "renamed/v7", "sound/v1"]
    assert "is gone; put it back: `hdh extract rebuild lost/v1`" in told["lost/v1"]
    assert "is gone" in told["renamed/v1"]
    assert "no such delivery" in told["renamed/v7"]
    assert told["sound/v1"] is None
    assert [row["extract"] for row in verified(own_hub, "lost/v1", code=1)] == ["lost/v1"]
    assert [row["extract"] for row in verified(own_hub, "renamed", code=1)] == ["renamed/v1", "renamed/v7"]
    shutil.rmtree(spaces / "renamed" / "v7")
    for name in ("lost/v1", "renamed/v1"):
        assert rebuild_extract(own_hub.home, own_hub.settings, own_hub.datasets, name) == []
    assert not any(row["problem"] for row in verified(own_hub, code=0))


def test_what_a_project_emptied_or_put_back_itself_is_told(own_hub: Hub) -> None:
    """A notice of withdrawal may be anybody's; a withdrawal is what the event log knows."""
    first = own_hub.deliver("own", tables={"omop.person": "all"})
    kept = first.folder.with_name(".kept")
    shutil.copytree(first.folder, kept)
    empty(first, "nobody's")
    assert "not withdrawn, and is gone" in verified(own_hub, code=1)[0]["problem"]
    assert rebuild_extract(own_hub.home, own_hub.settings, own_hub.datasets, "own/v1") == []
    assert (first.folder / "data").is_dir()
    own_hub.registry.act("tester", decisions.revoke("own", reason="over", today=today()))
    withdraw_ended(own_hub.home, own_hub.settings)
    assert verified(own_hub, code=0) == [{"extract": "own/v1", "problem": None}]
    shutil.rmtree(first.folder)
    assert verified(own_hub, code=0) == []
    kept.rename(first.folder)
    assert "it was withdrawn on" in verified(own_hub, code=1)[0]["problem"]


def test_what_was_lost_and_could_not_be_put_back_is_no_problem(own_hub: Hub) -> None:
    first = own_hub.deliver("over", tables={"omop.person": "all"})
    shutil.rmtree(first.folder)
    assert verified(own_hub, code=1)
    own_hub.registry.act("tester", decisions.revoke("over", reason="over", today=today()))
    assert verified(own_hub, code=0) == []


def verified(hub: Hub, *name: str, code: int) -> list[dict[str, str]]:
    """What `hdh extract verify --json` prints, once it ended with that code."""
    done = CliRunner().invoke(extract_app, ["verify", *name, "--json"], obj=Context(hub.home))
    assert done.exit_code == code
    return list(json.loads(done.stdout))
