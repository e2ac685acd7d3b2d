"""Which rows of a delivered table an extract takes, as SQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import duckdb
import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.keys import LakeTable
from hdh_assets.extracts import selection
from hdh_assets.extracts.deliverable import undeliverable
from hdh_assets.extracts.opposed import _cannot_tell
from hdh_assets.extracts.persons import _person_sources
from hdh_assets.extracts.plan import ColumnPlan, TablePlan
from hdh_assets.extracts.selection import rows_of
from hdh_assets.extracts.treatments import Treatment, omop_treatment
from hdh_assets.extracts.ways import whose
from hdh_assets.governance.dossier import Period, Precision
from tests.integration.intake_world import column, dataset, text


def table(name: str, *leads: str, persons: bool = False) -> dict[str, Any]:
    """A table whose rows have a key of their own and one for each table they lead to."""
    keys = [{"columns": [f"OF_{lead}"], "table": lead, "to_columns": ["NUM"]} for lead in leads]
    columns = [column("NUM", "string(9)", nullable=False), *(column(f"OF_{lead}", "string(9)") for lead in leads)]
    if persons:
        columns.append(column("ID", "string(9)", role="person_key", identifier_type="person"))
    return {
        "name": name,
        "title": text(name),
        "description": text(name),
        "primary_key": ["NUM"],
        "foreign_keys": keys,
        "columns": columns,
    }


def care(*tables: dict[str, Any]) -> Dataset:
    return dataset(tables=[table("STAYS", "SITES", persons=True), *tables])


@pytest.mark.parametrize(
    "tables",
    [
        [table("SITES", "SITES")],
        [table("SITES", "GROUPS"), table("GROUPS", "SITES")],
        [table("SITES", "GROUPS", "SITES"), table("GROUPS", "TRUSTS"), table("TRUSTS", "SITES", "TRUSTS")],
    ],
)
def test_a_directory_may_lead_to_itself_or_round_in_a_circle(tables: list[dict[str, Any]]) -> None:
    described = care(*tables)
    for name in [each["name"].lower() for each in tables]:
        assert rows_of(described, described.by_name[name], lambda _: "") == f'FROM lake."care"."{name}" AS t'


def test_a_circle_that_leads_to_persons_is_no_directory() -> None:
    described = care(table("SITES", "GROUPS"), table("GROUPS", "SITES", "STAYS"))
    assert "JOIN person_key" in rows_of(described, described.by_name["sites"], lambda _: "")


def test_a_table_that_only_itself_points_at_is_no_directory() -> None:
    described = care(table("SITES"), table("ALONE", "ALONE"))
    with pytest.raises(RefusedError, match=r"care\.alone cannot be limited"):
        rows_of(described, described.by_name["alone"], lambda _: "")


@pytest.mark.parametrize(
    ("said", "is_directory"),
    [({}, True), ({"role": "quasi_identifier"}, True), ({"role": "sensitive"}, False)],
)
def test_what_is_sensitive_is_of_persons_and_in_no_directory(said: dict[str, str], is_directory: bool) -> None:
    """Identities that patients point to would go to every project, the objectors' included."""
    sites = table("SITES")
    sites["columns"].append(column("HIV", "boolean", **said))
    described = care(sites)
    assert ("care.sites" not in undeliverable({"care": described})) is is_directory
    if not is_directory:
        with pytest.raises(RefusedError, match=r"care\.sites cannot be limited"):
            rows_of(described, described.by_name["sites"], lambda _: "")


def test_names_of_professionals_are_in_a_directory_and_those_of_nobody_known_are_not_delivered() -> None:
    doctors, visits, answers = table("SITES"), table("VISITS", "SITES", persons=True), table("ANSWERS", "SITES")
    doctors["columns"].append(column("NAME", "string(40)", role="direct_identifier"))
    told = undeliverable({"care": dataset(tables=[doctors, answers])})
    assert set(told) == {"care.sites", "care.answers"}
    assert "identifiers of persons (SITES.NAME)" in told["care.answers"]
    unled = undeliverable({"care": dataset(tables=[doctors, visits])})
    assert unled.keys() == {"care.sites"}
    assert unled["care.sites"].startswith("names people (SITES.NAME)")
    for number in (doctors["columns"][0], visits["columns"][1], answers["columns"][1]):
        number["identifier_type"] = "rpps"
    for others in ([visits], [answers]):
        assert undeliverable({"care": dataset(tables=[doctors, *others])}) == {}


def test_rows_are_limited_to_persons_by_as_many_keys_as_lead_to_them() -> None:
    """Acts of a hospital: those of a summary, that of a stay; the mother an act mentions is somebody else."""
    acts = table("ACTS", "SUMMARIES")
    acts["columns"].append(column("MOTHER", "string(9)", identifier_type="person"))
    described = care(table("SITES"), table("SUMMARIES", "LETTERS", "STAYS"), table("LETTERS", "SUMMARIES"), acts)
    delivered = (ColumnPlan("num", "VARCHAR", Treatment.kept), ColumnPlan("mother", "UUID", Treatment.person_key))
    plan = TablePlan(LakeTable("care", "acts"), delivered)
    mine, mothers, other = (UUID(int=number) for number in (1, 2, 3))
    with duckdb.connect() as engine:
        engine.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.care")
        engine.execute("CREATE TABLE person_key (hub UUID, project UUID, is_allowed BOOLEAN)")
        engine.execute("CREATE TABLE lake.care.stays (_delivery INT, num VARCHAR, id UUID)")
        engine.execute("CREATE TABLE lake.care.summaries (_delivery INT, num VARCHAR, of_stays VARCHAR)")
        engine.execute("CREATE TABLE lake.care.acts (_delivery INT, num VARCHAR, of_summaries VARCHAR, mother UUID)")
        engine.execute("INSERT INTO person_key VALUES (?, ?, true)", [mine, mine])
        engine.execute("INSERT INTO lake.care.stays VALUES (1, 'a', ?), (1, 'b', ?), (2, 'a', ?)", [mine, other, other])
        engine.execute("INSERT INTO lake.care.summaries SELECT _delivery, 's' || num, num FROM lake.care.stays")
        engine.execute("INSERT INTO lake.care.acts SELECT _delivery, num, num, ? FROM lake.care.summaries", [mothers])
        joined = selection.select_table(
            plan,
            Period.model_validate({"from": "2024-01-01", "to": "2024-12-31"}),
            {"care": described},
            (),
            {},
        ).source
        rows = engine.execute(f'SELECT _delivery, num, "project mother" FROM ({joined})').fetchall()
    assert rows == [(1, "sa", None)]
    assert whose(described, described.by_name["acts"]) == described.by_name["stays"]
    assert _person_sources({"care": described}, plan) == [
        (LakeTable("care", "stays"), "id"),
        (LakeTable("care", "acts"), "mother"),
    ]
    assert _person_sources({"care": described}, TablePlan(plan.table, delivered[:1])) == [
        (LakeTable("care", "stays"), "id")
    ]
    assert not _cannot_tell("care.acts", [("care.stays", "id", "")], {"care": described})
    assert _cannot_tell("care.acts", [("care.summaries", "num", "")], {"care": described})


@pytest.mark.parametrize(("name", "kept"), [("stays", ["c"]), ("acts", ["a2", "b1"]), ("letters", ["of c"])])
def test_rows_that_have_a_date_are_within_the_period_by_that_one_and_others_by_that_of_what_they_follow(
    name: str, kept: list[str]
) -> None:
    """A stay that began before the period, or nobody knows when, has acts within it."""
    dated = {"event_date": "DAY"}
    stays, acts = table("STAYS", persons=True) | dated, table("ACTS", "STAYS") | dated
    for each in (stays, acts):
        each["columns"].append(column("DAY", "date"))
    described = dataset(tables=[stays, acts, table("LETTERS", "STAYS")])
    period = Period.model_validate({"from": "2024-01-01", "to": "2024-12-31"})
    rows = rows_of(described, described.by_name[name], lambda each: selection.within(each, period))
    with duckdb.connect() as engine:
        engine.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.care")
        engine.execute("CREATE TABLE person_key AS SELECT uuid() AS hub, true AS is_allowed")
        engine.execute(
            "CREATE TABLE lake.care.stays AS SELECT 1 AS _delivery, num, day::DATE AS day, hub AS id FROM person_key, "
            "(VALUES ('a', '2023-12-31'), ('b', NULL), ('c', '2024-12-31')) AS v (num, day)"
        )
        engine.execute(
            "CREATE TABLE lake.care.acts AS SELECT 1 AS _delivery, num, num[1] AS of_stays, day::DATE AS day FROM "
            "(VALUES ('a1', '2023-12-31'), ('a2', '2024-01-01'), ('b1', '2024-06-01'), ('b2', NULL), "
            "('c1', '2025-01-01'), ('d1', '2024-06-01')) AS v (num, day)"
        )
        engine.execute(
            "CREATE TABLE lake.care.letters AS SELECT 1 AS _delivery, 'of ' || num AS num, num AS of_stays "
            "FROM lake.care.stays"
        )
        assert engine.execute(f"SELECT t.num {rows} ORDER BY ALL").fetchall() == [(num,) for num in kept]


@pytest.mark.parametrize("key", [["ID", "RANK"], ["ID", "DAY"], ["RANK"], []])
def test_the_declared_date_cuts_rows_to_the_period_whatever_the_key_is_made_of(key: list[str]) -> None:
    """Vaccinations are told apart by their person: those of all time were delivered."""
    columns = [
        column("ID", "string(9)", nullable=False, role="person_key", identifier_type="person"),
        column("RANK", "integer", nullable=False, role="payload"),
        column("DAY", "date", nullable=False),
    ]
    words = {"name": "SHOTS", "title": text("Shots"), "description": text("Shots")}
    (shots,) = dataset(tables=[words | {"primary_key": key, "event_date": "DAY", "columns": columns}]).tables
    period = Period.model_validate({"from": "2024-01-01", "to": "2024-12-31"})
    assert selection.within(shots, period) == """t."day"::DATE BETWEEN '2024-01-01' AND '2024-12-31'"""


@pytest.mark.parametrize("mode", ["append", "cumulative", "snapshot"])
@pytest.mark.parametrize("on_duplicate_key", ["count", "reject", "refuse"])
def test_rows_whose_key_repeats_come_in_the_same_order_wherever_the_lake_has_them(
    mode: str, on_duplicate_key: str
) -> None:
    """Two periods may number their rows alike; so may one where repetitions are counted and no more."""
    described = dataset(mode=mode, tables=[table("STAYS", persons=True) | {"on_duplicate_key": on_duplicate_key}])
    columns = (
        ColumnPlan("cost", "INTEGER", Treatment.kept),
        ColumnPlan("num", "VARCHAR", Treatment.record_text),
        ColumnPlan("id", "UUID", Treatment.person_key),
    )
    plan = TablePlan(LakeTable("care", "stays"), columns)
    period = Period.model_validate({"from": "2024-01-01", "to": "2024-12-31"})
    chosen = selection.select_table(plan, period, {"care": described}, (), {})
    if mode == "snapshot" and on_duplicate_key != "count":
        assert chosen.order == ("id", "num")
        return
    rows = "SELECT unnest(?) AS cost, md5('')::UUID::VARCHAR AS num, md5('')::UUID AS id"
    with duckdb.connect() as engine:
        orders = [
            engine.execute(f"SELECT cost FROM ({chosen.ordered(f'({rows})')})", [costs]).fetchall()
            for costs in ([1, 2, 3], [3, 1, 2])
        ]
    assert orders[0] == orders[1]


def test_every_table_of_the_package_may_be_asked_for() -> None:
    assert undeliverable(load_datasets()) == {}


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [
        ("2023-11-01", "2024-01-31", ["202311", "202312", "202401"]),
        ("2023-11-02", "2024-01-30", ["202312"]),
        ("2023-11-30", "2024-01-01", ["202312"]),
        ("2023-12-31", "2024-02-29", ["202401", "202402"]),
        ("2024-01-02", "2024-01-31", []),
        ("2024-01-02", "2024-02-28", []),
    ],
)
def test_a_month_tells_of_a_death_only_where_the_whole_of_it_lies_within_the_period(
    first: str, last: str, kept: list[str]
) -> None:
    """On the day after the period the date of a death is emptied; its month would tell it all the same."""
    assert told("VARCHAR", first, last, ["202310", "202311", "202312", "202401", "202402", "160001"]) == kept


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [
        ("2023-01-01", "2024-12-31", [2023, 2024]),
        ("2023-01-02", "2024-12-31", [2024]),
        ("2024-01-01", "2024-12-30", []),
    ],
)
def test_a_year_tells_of_a_death_only_where_the_whole_of_it_lies_within_the_period(
    first: str, last: str, kept: list[int]
) -> None:
    assert told("SMALLINT", first, last, [2022, 2023, 2024, 2025]) == kept


def test_a_payer_is_told_by_its_code_and_not_by_the_producers_number() -> None:
    treatment = omop_treatment("payer_plan_period", "payer_source_value", "VARCHAR", Precision(), is_listed=True)
    number = "7caa7254-5050-3b5e-9eae-bd5ea30e809c"
    assert told("VARCHAR", "2024-01-01", "2024-12-31", ["01C", number, None, "01C751000"], treatment) == [
        "01C",
        "01C751000",
    ]


def told(kind: str, first: str, last: str, values: list[Any], treatment: Treatment = Treatment.within) -> list[Any]:
    """Which of these values of a column, one about deaths if not said otherwise, an extract of the period shows."""
    period = Period.model_validate({"from": first, "to": last})
    shown = selection._expression(ColumnPlan("said", kind, treatment), period)
    query = f"SELECT shown FROM (SELECT {shown} AS shown FROM (SELECT unnest(?::{kind}[]) AS said) AS t)"
    with duckdb.connect() as engine:
        found = engine.execute(f"{query} WHERE shown IS NOT NULL ORDER BY ALL", [values]).fetchall()
    return [value for (value,) in found]


def test_times_of_a_key_that_differ_by_less_than_a_day_have_different_numbers() -> None:
    column = ColumnPlan("said", "TIMESTAMP", Treatment.record_date)
    query = f"SELECT {selection._key_expression(column)} FROM (SELECT unnest(?::TIMESTAMP[]) AS said) AS t"
    with duckdb.connect() as engine:
        numbers = engine.execute(query, [["2024-01-01 08:00:00", "2024-01-01 08:00:01", None]]).fetchall()
    assert len(set(numbers)) == 3
