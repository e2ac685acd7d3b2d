"""Identities of the vault are looked at some rows at a time, whatever their number."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast
from unittest.mock import Mock

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home
from hdh_assets.core.opposition import PersonKey
from hdh_assets.sources.opposed import lookup
from resources.keys import Purpose, open_keys
from resources.pseudonyms import open_pseudonymiser
from resources.vault import open_vault


def test_an_identity_is_found_in_whatever_row_group_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    keys = open_keys(home)
    keys.create_missing(tuple(Purpose))
    vault, pseudonymiser = open_vault(home, keys), open_pseudonymiser(keys)
    table = load_datasets()["hospital_ehr"].by_name["patients"]
    (nir,) = (c.lake_name for c in table.columns if not c.is_in_lake and c.identifier_type == "nir")
    own = table.person_keys[0]
    numbers = [f"1850599123{n:03d}" for n in range(20)]
    rows = pa.table({own.lake_name: [f"pseudonym {n}" for n in range(20)], nir: numbers})
    path = home.vault / "patients.parquet"
    with vault.writer(path) as file:
        parquet.write_table(rows, cast("IO[bytes]", file), row_group_size=8)
    pseudonym = pseudonymiser.pseudonymise(pl.Series([numbers[13]]), "nir")[0]
    opposition = Mock(number=7, given=[PersonKey("nir", pseudonym)])
    monkeypatch.delattr(parquet.ParquetFile, "read")
    found = lookup.in_file(vault, pseudonymiser, table, path, [opposition])
    assert found == {7: {PersonKey(str(own.identifier_type), "pseudonym 13")}}
