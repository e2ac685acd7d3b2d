"""Whatever bytes a manifest holds, reading it gives a manifest or a `ManifestError`; nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.sources.intake.manifest import Manifest, ManifestError, delivery_id, digest_of, parse_manifest, table_of

GOOD: dict[str, Any] = {
    "dataset": "snds_dcir",
    "period": "2024-01",
    "descriptor_version": 1,
    "producer": "cnam",
    "files": [{"name": "ER_PRS_F.csv", "size": 10, "rows": 1, "sha256": "a" * 64}],
    "sealed_at": "2024-02-01T00:00:00Z",
    "signature": None,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def test_canonical_bytes_are_read_back() -> None:
    manifest = parse_manifest(json.dumps(GOOD).encode())
    assert parse_manifest(manifest.to_bytes()) == manifest


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(content)


@given(st.sampled_from(sorted(GOOD)), json_values)
def test_any_value_of_any_field_is_read_or_refused(field: str, value: Any) -> None:
    with contextlib.suppress(ManifestError):
        assert isinstance(parse_manifest(json.dumps(GOOD | {field: value}).encode()), Manifest)


@given(st.text(min_size=1, max_size=30))
def test_no_accepted_file_name_leads_anywhere_else(name: str) -> None:
    content = GOOD | {"files": [GOOD["files"][0] | {"name": name}]}
    try:
        (file,) = parse_manifest(json.dumps(content).encode()).files
    except ManifestError:
        return
    assert not {"/", "\\", "\0"} & set(file.name)
    assert file.name.isascii()
    assert not file.name.startswith(".")


@given(json_values)
def test_an_error_never_quotes_what_it_found(value: Any) -> None:
    marked = json.dumps(GOOD | {"period": [value, "XYZZY"]}).encode()
    with pytest.raises(ManifestError) as caught:
        parse_manifest(marked)
    assert "XYZZY" not in str(caught.value)


@pytest.mark.parametrize("field", sorted(set(GOOD) - {"signature"}))
def test_every_field_is_needed(field: str) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(json.dumps({k: v for k, v in GOOD.items() if k != field}).encode())


@pytest.mark.parametrize("edit", [{"rows": True}, {"rows": 1.0}, {"size": -1}, {"rows": "1"}, {"sha256": "g" * 64}])
def test_numbers_and_digests_are_strict(edit: dict[str, Any]) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(json.dumps(GOOD | {"files": [GOOD["files"][0] | edit]}).encode())


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("ER_PRS_F.csv", "ER_PRS_F"),
        ("er_prs_f_002.csv.gz", "ER_PRS_F"),
        ("Er_Prs_F-7.CSV", "ER_PRS_F"),
        ("ER_PRS_F.parquet", None),
        ("ER_PRS_F_x.csv", None),
        ("ER_PRS.csv", None),
        ("ER_PRS_F.csv.zip", None),
    ],
)
def test_a_file_belongs_to_the_table_it_is_named_after(name: str, table: str | None) -> None:
    found = table_of(load_datasets()["snds_dcir"], name)
    assert (found.name if found else None) == table


def test_identity_is_the_digest_of_the_bytes() -> None:
    digest = digest_of(b"x")
    assert digest == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert delivery_id(digest).hex == digest[:32]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused_as_no_json(constant: str) -> None:
    content = json.dumps(GOOD).replace('"signature": null', f'"signature": {constant}')
    with pytest.raises(ManifestError) as caught:
        parse_manifest(content.encode())
    assert (caught.value.field, "JSON" in caught.value.expected.en) == (None, True)


@pytest.mark.parametrize(
    "said",
    [
        "2024-02-01T08:00:00Z",
        "2024-02-01 08:00:00+01:00",
        "2024-02-01T08:00:00.5Z",
        "2024-02-01T08:00:00.123456-05:30",
    ],
)
def test_an_instant_is_written_as_rfc_3339_says(said: str) -> None:
    assert parse_manifest(json.dumps(GOOD | {"sealed_at": said}).encode()).sealed_at == said


@pytest.mark.parametrize(
    "said",
    [
        "DUPONT Jean",
        "2024-02-01T08:00:00",
        "0001-01-01T00:00:00+00:00",
        "2024-02-01\u000008:00:00Z",
        "2024-02-01\n08:00:00Z",
        "2024-02-01_08:00:00Z",
        "2024-02-01T08:00:00Z\n",
        "2024-02-01T25:00:00Z",
        "2024-02-01T08:00:00+99:99",
        "2024-W05-4T08:00:00Z",
        "20240201T080000Z",
        "2024-02-01T08Z",
        "\u0662024-02-01T08:00:00Z",
    ],
)
def test_a_seal_that_is_no_instant_is_told_in_both_languages_and_not_quoted(said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(json.dumps(GOOD | {"sealed_at": said}).encode())
    assert said not in str(caught.value)
    assert "is expected" in caught.value.expected.en
    assert "attendu" in caught.value.expected.fr


@pytest.mark.parametrize(
    ("edit", "english", "french"),
    [
        ({"size": -2}, "from 0 on", "à partir de 0"),
        ({"rows": -2}, "from 0 on", "à partir de 0"),
        ({"rows": 1 << 50}, f"up to {1 << 48}", f"d'au plus {1 << 48}"),
    ],
)
def test_a_number_outside_is_told_with_its_bound(edit: dict[str, int], english: str, french: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(json.dumps(GOOD | {"files": [GOOD["files"][0] | edit]}).encode())
    assert english in caught.value.expected.en
    assert french in caught.value.expected.fr


def test_a_digest_may_be_in_capitals() -> None:
    read = parse_manifest(json.dumps(GOOD | {"files": [GOOD["files"][0] | {"sha256": "A" * 64}]}).encode())
    assert read.files[0].sha256 == "a" * 64


def test_a_version_may_be_a_day() -> None:
    assert parse_manifest(json.dumps(GOOD | {"descriptor_version": 20240131}).encode()).descriptor_version == 20240131
