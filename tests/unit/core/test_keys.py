"""The one grammar of names: asset key, lake table, dbt model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core import keys
from hdh_assets.core.keys import Key, LakeTable

identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("key", "text", "table"),
    [
        (keys.source_key("snds_dcir", "ER_PRS_F"), "sources/snds_dcir/er_prs_f", LakeTable("snds_dcir", "er_prs_f")),
        (keys.omop_key("person"), "omop/clinical/person", LakeTable("omop", "person")),
        (keys.omop_key("cost"), "omop/health_economics/cost", LakeTable("omop", "cost")),
        (keys.catalog_key("snds_dcir"), "catalog/datasets/snds_dcir", LakeTable("catalog", "snds_dcir")),
        (keys.extract_key("p1", "person"), "extracts/p1/person", None),
        (
            keys.dbt_model_key("stg_snds_dcir__er_prs_f"),
            "staging/snds_dcir/stg_snds_dcir__er_prs_f",
            LakeTable("staging", "stg_snds_dcir__er_prs_f"),
        ),
        (keys.dbt_model_key("drug_era"), "omop/derived/drug_era", LakeTable("omop", "drug_era")),
        (
            keys.dbt_source_key("snds_dcir", "er_prs_f"),
            "sources/snds_dcir/er_prs_f",
            LakeTable("snds_dcir", "er_prs_f"),
        ),
    ],
)
def test_a_name_leads_to_its_key_and_its_table(key: Key, text: str, table: LakeTable | None) -> None:
    assert str(key) == text
    assert key.parts == tuple(text.split("/"))
    assert key.lake_table == table


def test_a_lake_table_is_quoted_in_sql() -> None:
    assert LakeTable("omop", "person").sql == 'lake."omop"."person"'
    assert str(LakeTable("omop", "person")) == "omop.person"


def test_the_thirty_nine_tables_of_the_common_data_model_are_known_once() -> None:
    tables = [table for group in keys.OMOP_DOMAINS.values() for table in group]
    assert len(tables) == len(set(tables)) == 39


@pytest.mark.parametrize(
    "parts", [("source", "a", "b"), ("omop", "Clinical", "person"), ("omop", "a", ""), ("omop", "a", "b-c")]
)
def test_a_key_outside_the_grammar_is_refused(parts: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"layer must be|must be lower-case"):
        Key(*parts)


def test_a_table_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError):
        keys.omop_key("patient")
    with pytest.raises(KeyError):
        keys.dbt_model_key("stg_patient")


@given(identifiers, identifiers)
def test_different_tables_have_different_keys(dataset: str, table: str) -> None:
    key = keys.source_key(dataset, table.upper())
    assert key == keys.dbt_source_key(dataset, table)
    assert key.lake_table == LakeTable(dataset, table)


@given(st.sampled_from(keys.LAYERS), st.text(max_size=8), st.text(max_size=8))
def test_a_key_is_made_of_identifiers_or_not_at_all(layer: str, domain: str, table: str) -> None:
    try:
        key = Key(layer, domain, table)
    except ValueError:
        assert not (keys.IDENTIFIER.match(domain) and keys.IDENTIFIER.match(table))
    else:
        assert all(part.isascii() and part == part.lower() for part in key.parts)
