"""What people read of an entry."""

from __future__ import annotations

import pytest

from hdh_assets.catalog import page
from hdh_assets.catalog.assets import entry_metadata
from hdh_assets.catalog.chart import at_a_glance, rows_per_period
from hdh_assets.catalog.entry import DeliveryEntry, Entry, TableEntry, as_published
from hdh_assets.core.descriptor_files import load_datasets

SHOWN_AT_ONCE = 1000
"""Characters of Markdown the UI shows without a click."""
DCIR = load_datasets()["snds_dcir"]
DELIVERY = DeliveryEntry(
    period="2024-01",
    rows=1234567,
    rejected=3,
    loaded_at="2024-02-01T10:00:00+00:00",
    digest="abc",
    rows_by_table={"er_prs_f": 10},
)
ENTRY = Entry(
    dataset="snds_dcir",
    release=2,
    measured_at="2024-02-01T10:00:00+00:00",
    rows=1234567,
    persons=1000,
    first_event="2023-01",
    last_event="2024-01",
    tables={"er_prs_f": TableEntry(rows=10, persons=4, completeness={"dct_ord_num": 1.0, "exe_soi_dtd": 0.255})},
    deliveries=(DELIVERY,),
    rejected_by_rule={"type": 3, "range": 0},
)


def test_the_summary_says_what_it_is_in_both_languages_and_how_much_without_a_click() -> None:
    text = page.summary(DCIR, ENTRY)
    assert len(text) < SHOWN_AT_ONCE
    assert DCIR.title.en in text
    assert DCIR.title.fr in text
    assert "1\u202f234\u202f567" in text
    assert "2023-01 to 2024-01" in text
    assert "monthly since 2006-01. Every flux" in text


def test_the_maturity_is_a_row_of_its_own() -> None:
    lines = page.summary(DCIR, ENTRY).splitlines()
    assert f"| **Maturity** | {DCIR.maturity} |" in lines
    assert not any("Family" in line and DCIR.maturity in line for line in lines)


def test_completeness_shows_each_column_that_was_measured() -> None:
    text = page.completeness(DCIR.by_name["er_prs_f"], ENTRY)
    assert "| `██████████` 100% | **dct_ord_num** " in text
    assert "| `███░░░░░░░` 25.5% | **exe_soi_dtd** " in text
    assert "| not told: few rows | **prs_nat_ref** " in text


@pytest.mark.parametrize(
    ("persons", "shown"), [(None, "–"), (0, "0"), (1, "fewer than 11"), (10, "fewer than 11"), (11, "11")]
)
def test_a_count_of_few_persons_is_not_published(persons: int | None, shown: str) -> None:
    tables = {table.lake_name: TableEntry(rows=30, persons=persons) for table in DCIR.tables}
    few = ENTRY.model_copy(update={"persons": persons, "tables": tables})
    assert f"| **Persons** | {shown} |" in page.summary(DCIR, few)
    assert f"| 30 | {shown} |" in page.tables(DCIR, few)
    assert entry_metadata(DCIR, few).get("persons") == (shown if persons in {1, 10} else persons)


@pytest.mark.parametrize(("rows", "shown"), [(0, "0"), (10, "fewer than 11"), (11, "11")])
def test_a_count_of_few_rows_about_persons_is_not_published(rows: int, shown: str) -> None:
    tables = {table.lake_name: TableEntry(rows=rows, persons=30) for table in DCIR.tables}
    deliveries = (DELIVERY.model_copy(update={"rows": rows, "rows_by_table": {"er_prs_f": rows}}),)
    few = ENTRY.model_copy(update={"rows": rows, "tables": tables, "deliveries": deliveries})
    assert f"| **Rows** | {shown} |" in page.summary(DCIR, few)
    assert f"| {shown} | 30 |" in page.tables(DCIR, few)
    assert f"| 2024-01 | {shown} |" in page.last_deliveries(few)
    assert entry_metadata(DCIR, few).get("dagster/row_count") == (None if rows == 10 else rows)
    document = as_published(few)
    said = shown if rows == 10 else rows
    assert [document["rows"], document["tables"]["er_prs_f"]["rows"], document["deliveries"][0]["rows"]] == [said] * 3
    assert document["deliveries"][0]["rows_by_table"] == {"er_prs_f": said}
    open_data = as_published(few.model_copy(update={"persons": None}))
    assert open_data["rows"] == rows


def test_rules_nobody_broke_are_left_out() -> None:
    assert "range" not in page.checks(ENTRY)
    assert page.checks(Entry(dataset="x", measured_at="")) == "*Every row passed every rule.*"


def test_an_entry_of_nothing_reads_well() -> None:
    nothing = Entry(dataset="snds_dcir", measured_at="")
    assert "| **Periods** | none |" in page.summary(DCIR, nothing)
    assert page.last_deliveries(nothing) == "*Nothing delivered yet.*"
    assert rows_per_period(nothing) is None


def test_bars_of_many_periods_fit_where_the_ui_shows_them_at_once() -> None:
    many = tuple(DELIVERY.model_copy(update={"period": f"{n:04}-01", "rows": n * 1000003}) for n in range(2000, 2040))
    glance = at_a_glance(ENTRY.model_copy(update={"deliveries": many}))
    assert glance is not None
    assert len(glance) < SHOWN_AT_ONCE
    assert "(data:image/svg+xml,%3Csvg" in glance
    assert at_a_glance(ENTRY.model_copy(update={"deliveries": ()})) is None


def test_the_chart_is_a_picture_in_markdown() -> None:
    picture = rows_per_period(ENTRY)
    assert picture is not None
    assert picture.startswith("![Rows by period](data:image/png;base64,iVBOR")
    assert len(picture) < 60_000
