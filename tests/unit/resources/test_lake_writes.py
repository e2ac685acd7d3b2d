"""What one engine writes is bounded by bytes; the lake is not changed by it, and other writers keep their order."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hdh_assets.core.home import Home, Settings
from resources import lake as lake_module
from resources.lake import Lake, bound_by_bytes


def insert(engine: duckdb.DuckDBPyConnection) -> int:
    """Write 20 MB; how many row groups they became."""
    engine.execute("CREATE OR REPLACE TABLE lake.long AS SELECT repeat(n::VARCHAR, 250) AS x FROM range(20000) t (n)")
    ((file,),) = engine.execute("SELECT data_file FROM ducklake_list_files('lake', 'long')").fetchall()
    groups = engine.execute("SELECT count(DISTINCT row_group_id) FROM parquet_metadata(?)", [file]).fetchone()
    return int((groups or (0,))[0])


def test_row_groups_are_bounded_by_bytes_in_this_engine_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "_ROW_GROUP_BYTES", "1MB")
    lake = Lake(Home(tmp_path), Settings())
    with lake.writer() as engine:
        bound_by_bytes(engine)
        assert insert(engine) > 1
    with lake.writer() as engine:
        assert insert(engine) == 1
