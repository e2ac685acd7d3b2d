"""Every order of names and aliases is recognised; anything else is refused with what is wrong."""

from __future__ import annotations

import random
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.header_gate import check_header, split_header
from hdh_assets.sources.intake.receipt import DeliveryRefusedError
from tests.integration.intake_world import column, dataset, text

TABLE = load_datasets()["snds_dcir"].by_name["er_pha_f"]
NAMES = [column.name for column in TABLE.columns]


@given(st.randoms(use_true_random=False), st.booleans())
def test_any_order_and_case_is_recognised(chance: random.Random, is_lower: bool) -> None:
    names = [name.lower() if is_lower else name for name in NAMES]
    chance.shuffle(names)
    header = check_header(names, TABLE, Format(), "f")
    assert [column.lake_name for column in header.columns] == [name.lower() for name in names]


@given(st.lists(st.sampled_from([*NAMES, "OTHER", "", " "]), max_size=30))
def test_anything_else_is_refused_and_never_quoted(names: list[str]) -> None:
    if sorted(names) == sorted(NAMES):
        return
    with pytest.raises(DeliveryRefusedError) as caught:
        check_header(names, TABLE, Format(), "f")
    assert {problem.rule for problem in caught.value.problems} <= {
        "missing_column",
        "unknown_column",
        "duplicate_column",
        "header",
    }
    assert not any("OTHER" in problem.model_dump_json() for problem in caught.value.problems)


@pytest.mark.parametrize(
    "heading", ["Année de début", "ANNÉE DE DÉBUT", normalize("NFD", "Année de début"), "2024 (%)", "n° d'ordre", "a.b"]
)
def test_a_column_is_known_by_what_the_producer_calls_it(heading: str) -> None:
    names = ["Année de début", "2024 (%)", "N° d'ordre", "a.b"]
    columns = [column("YEAR", "string", aliases=names), column("OTHER", "string", optional=True)]
    described = dataset(tables=[{"name": "T", "title": text("T"), "description": text("T"), "columns": columns}])
    header = check_header([heading], described.by_name["t"], described.format, "f")
    assert [column.name for column in header.columns] == ["YEAR"]


def test_the_rest_of_the_first_block_follows_the_header() -> None:
    names, rest = split_header(iter([b"A;B\n1;2\n", b"3;4\n"]), Format(delimiter=";"), "f")
    assert (names, b"".join(rest)) == (["A", "B"], b"1;2\n3;4\n")


def test_a_first_line_that_ends_within_quotes_is_no_header() -> None:
    with pytest.raises(DeliveryRefusedError, match="header"):
        split_header(iter([b"A;B\0n", b"C\n1;2\n"]), Format(delimiter=";"), "f")


def test_an_empty_file_has_no_header() -> None:
    with pytest.raises(DeliveryRefusedError, match="empty_file"):
        split_header(iter([]), Format(), "f")
