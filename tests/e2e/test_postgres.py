"""The same hub with its lake catalogue, registry, ledger and Dagster's storage in PostgreSQL."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import psycopg
import pytest
from hubs import DATASET, FIFTH, drop, hdh, use_postgres

from hdh_assets.core.home import Home

pytestmark = pytest.mark.postgres


def test_a_tick_with_everything_in_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "hub")
    monkeypatch.setenv("HDH_HOME", str(home.root))
    use_postgres(postgres_url, monkeypatch)
    hdh("init")
    shutil.copy(FIFTH, home.datasets / FIFTH.name)
    drop(home, "2024-01")
    drop(home, "2024-02", text="R1;U1\n")

    done = json.loads(hdh("tick", "--json"))

    assert [run["success"] for run in done["runs"]] == [True] * 3
    assert json.loads(hdh("dataset", "show", DATASET, "--json"))["entry"]["rows"] == 20
    with psycopg.connect(postgres_url) as connection:
        runs = connection.execute("SELECT count(*) FROM runs WHERE status = 'SUCCESS'").fetchone()
    assert runs == (3,)
    assert not list(home.root.rglob("*.sqlite"))
    assert not list(home.dagster.rglob("*.db"))
