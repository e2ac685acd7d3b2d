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
from hdh_assets.core.opposition import PersonKey, canonical
from hdh_assets.sources.opposed import lookup
from resources.keys import Purpose, open_keys
from resources.pseudonyms import open_pseudonymiser
from resources.vault import open_vault
from tests.integration.intake_world import column, dataset, text

BIRTHS = {
    "name": "BIRTHS",
    "title": text("Births"),
    "description": text("Births"),
    "columns": [
        column("CHILD", "string(9)", role="person_key", identifier_type="hospital"),
        column("SEEN_BY", "string(9)", role="person_key", identifier_type="hospital"),
        column("INSURED", "string(9)", role="person_key", identifier_type="insured"),
        column("NIR", "string(15)", role="direct_identifier", identifier_type="nir"),
        column("MOTHER_NIR", "string(15)", role="direct_identifier", identifier_type="nir"),
        column("REGISTER", "string(15)", role="direct_identifier", identifier_type="insured"),
    ],
}
ROWS = {
    "child": ["c1", None],
    "seen_by": ["s1", "s2"],
    "insured": ["i", "i"],
    "nir": ["child", "other"],
    "mother_nir": ["mother", "mother"],
    "register": ["r", "r"],
}


@pytest.mark.parametrize(
    ("given", "shared", "expected"),
    [
        (("nir", "child"), (), {("hospital", "c1"), ("insured", "i")}),
        (("nir", "other"), (), {("hospital", "s2"), ("insured", "i")}),
        (("nir", "mother"), (), set()),
        (("insured", "r"), (), set()),
        (("nir", "child"), ("insured",), {("hospital", "c1")}),
    ],
    ids=["first filled key", "second, the first being empty", "mentioned", "kind of a person key", "shared by twins"],
)
def test_a_row_is_found_by_its_own_persons_identifier_and_says_whose_it_is_by_the_first_filled_key(
    tmp_path: Path, given: tuple[str, str], shared: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    """An opposition of the mother took the child's rows, and one of the child all those of whom it was seen by."""
    home = Home(tmp_path)
    keys = open_keys(home)
    keys.create_missing(tuple(Purpose))
    vault, pseudonymiser = open_vault(home, keys), open_pseudonymiser(keys)
    path = home.vault / "births.parquet"
    with vault.writer(path) as file:
        parquet.write_table(pa.table(ROWS), cast("IO[bytes]", file))
    kind, identifier = given
    pseudonym = pseudonymiser.pseudonymise(pl.Series([canonical(identifier, kind, "string")]), kind)[0]
    opposition = Mock(number=7, given=[PersonKey(kind, pseudonym)])
    table = dataset(tables=[BIRTHS]).by_name["births"]
    found = lookup.in_file(vault, pseudonymiser, table, path, shared, [opposition])
    assert {(key.identifier_type, key.pseudonym) for key in found.get(7, ())} == expected


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
    found = lookup.in_file(vault, pseudonymiser, table, path, (), [opposition])
    assert found == {7: {PersonKey(str(own.identifier_type), "pseudonym 13")}}
