"""Sealing: the same files give the same bytes, rows are counted as records, and only plain files are sealed."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.dialect import Format
from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.manifest import parse_manifest
from hdh_assets.sources.intake.seal import count_records, seal

DATASET = load_datasets()["commune_context"]


def test_same_files_and_instant_give_the_same_manifest(tmp_path: Path) -> None:
    (tmp_path / "commune_indicators.csv").write_text('a;b\n1;"x\ny"\n2;z')
    instant = datetime(2024, 1, 1, tzinfo=UTC)
    first = seal(tmp_path, DATASET, "2024", sealed_at=instant).read_bytes()
    assert seal(tmp_path, DATASET, "2024", sealed_at=instant).read_bytes() == first
    assert parse_manifest(first).files[0].rows == 2


@given(
    st.lists(st.lists(st.text(st.sampled_from('a"\n;'), max_size=4), min_size=1, max_size=3), max_size=8),
    st.integers(1, 9),
)
def test_records_are_those_of_a_csv_reader(rows: list[list[str]], size: int) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    content = sink.getvalue().encode()
    chunks = (content[start : start + size] for start in range(0, len(content), size))
    assert count_records(chunks, '"') == len(rows)


def test_an_empty_folder_and_a_link_are_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="no file"):
        seal(tmp_path, DATASET, "2024")
    (tmp_path / "commune_indicators.csv").symlink_to("/etc/passwd")
    with pytest.raises(HubError, match="not a plain file"):
        seal(tmp_path, DATASET, "2024")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A gzip that ends too early made `hdh deliver` say that it was stopped."""
    whole = gzip.compress(b"a;b\n" + b"1;2\n" * 9_000)
    for content in (whole[:-20], whole[:30] + b"\x00" * 30 + whole[60:], b"a;b\n1;2\n", whole[:5]):
        (tmp_path / "commune_indicators.csv.gz").write_bytes(content)
        with pytest.raises(HubError, match=r"^commune_indicators.csv.gz is damaged, or no gzip file"):
            seal(tmp_path, DATASET, "2024")


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    dataset = DATASET.model_copy(update={"format": Format(kind="parquet")})
    path = tmp_path / "commune_indicators.parquet"
    parquet.write_table(pa.table({"a": [1, 2]}), path)
    assert parse_manifest(seal(tmp_path, dataset, "2024").read_bytes()).files[0].rows == 2
    whole = path.read_bytes()
    for content in (b"", whole[:-3], whole[:-40] + b"\xff" * 30 + whole[-10:], b"PAR1PAR1"):
        path.write_bytes(content)
        with pytest.raises(HubError, match=r"^commune_indicators.parquet is damaged, or no Parquet file"):
            seal(tmp_path, dataset, "2024")
