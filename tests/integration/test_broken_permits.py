"""What is said of permits that cannot be used: altered in the log, or on what the hub delivers no longer."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.due import ask
from tests.commands import hdh
from tests.extract_hub import write_dossier


def _json(home: Home, *arguments: str) -> Any:
    code, printed, told = hdh("--home", str(home.root), *arguments, "--json")
    assert code == 0, told
    return json.loads(printed)


@pytest.mark.parametrize("altered", ['{"number":1}', '{"number":"x","permit":{"expires":"soon"}}', '{"permit":"all"}'])
def test_an_altered_grant_breaks_its_own_permit_alone(home: Home, tmp_path: Path, altered: str) -> None:
    for project in ("first", "second"):
        _json(home, "project", "submit", str(write_dossier(tmp_path / f"{project}.yaml", project)))
        _json(home, "committee", "opinion", project, "--favourable")
        _json(home, "permit", "grant", project)
    with sqlite3.connect(home.registry / "events.sqlite") as log:
        log.execute("DROP TRIGGER event_no_update")
        log.execute("UPDATE event SET data = ? WHERE kind = 'permit.granted' AND subject = 'first'", [altered])
    first, second = _json(home, "project", "list")
    assert [(each["project"], each["status"], each["permit"]) for each in (first, second)] == [
        ("first", "granted", 1),
        ("second", "granted", 1),
    ]
    assert (first["expires"], bool(second["expires"])) == (None, True)
    assert [event["what"] for event in _json(home, "project", "show", "first")["history"]][-1] == "permit.granted"
    assert [(each["project"], bool(each["problem"])) for each in _json(home, "permit", "list")] == [
        ("second", False),
        ("first", True),
    ]
    _, printed, _ = hdh("--home", str(home.root), "audit", "verify", "--json")
    assert json.loads(printed)["problems"] == ["event 3 was altered"]


def test_no_version_is_asked_for_of_what_the_hub_delivers_no_longer(
    home: Home, settings: Settings, tmp_path: Path
) -> None:
    """The next tick refused it, again and again."""
    asked = write_dossier(tmp_path / "d.yaml", "pilot", tables={"snds_dcir.er_prs_f": "all"})
    _json(home, "project", "submit", str(asked))
    _json(home, "committee", "opinion", "pilot", "--favourable")
    _json(home, "permit", "grant", "pilot")
    with pytest.raises(RefusedError, match=r"permit 1 of pilot is broken: .* does not deliver snds_dcir\.er_prs_f"):
        ask(home, settings, {}, "pilot")
    with pytest.raises(HubError, match="no release"):
        ask(home, settings, load_datasets(), "pilot")
