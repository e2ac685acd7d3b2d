"""What a producer's files must be, as `hdh dataset show` tells it: the dialect, and every column of a table.

From the descriptor alone. What was delivered is in `datasets.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hdh_assets.cli.console import out, print_facts, print_json, print_rows
from hdh_assets.core.column import Column
from hdh_assets.core.column_types import bound_words
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.errors import HubError


def show_table(dataset: Dataset, name: str, *, as_json: bool) -> None:
    """Print one table of the dataset, whose name may be in any case. Raises `HubError` naming those that exist."""
    table = dataset.by_name.get(name.lower())
    if table is None:
        known = ", ".join(each.name for each in dataset.tables)
        raise HubError(f"{dataset.id} has no table {name!r}", remedy=f"choose one of: {known}")
    if as_json:
        print_json(table.model_dump(mode="json"))
        return
    print_facts(_facts(dataset, table))
    out.print()
    print_rows([column_row(dataset, table, column) for column in table.columns], as_json=False, title="columns")


def format_words(dataset: Dataset) -> str:
    """How the files are written."""
    dialect = dataset.format
    if dialect.kind == "parquet":
        return f"parquet, {_order(dataset)}"
    quote = f"quotes {dialect.quote}" if dialect.quote else "no quotes"
    return (
        f"csv, separator {dialect.delimiter!r}, {quote}, {dialect.encoding}, dates {dialect.date}, "
        f"timestamps {dialect.timestamp}, decimal {dialect.decimal!r}, {_order(dataset)}"
    )


def _order(dataset: Dataset) -> str:
    return "columns in the order listed" if dataset.format.column_order == "declared" else "columns in any order"


def _facts(dataset: Dataset, table: Table) -> dict[str, Any]:
    links = [f"{', '.join(k.columns)} in {k.table} ({', '.join(k.target_columns)})" for k in table.foreign_keys]
    return {
        "table": f"{table.name} of {dataset.id}",
        "title": f"{table.title.en} / {table.title.fr}",
        "description": f"{table.description.en} / {table.description.fr}",
        "delivered": "always" if not table.optional else "a delivery may lack it",
        "format": format_words(dataset),
        "key": ", ".join(table.primary_key) or "none",
    } | ({"to be found": "; ".join(links)} if links else {})


def column_row(dataset: Dataset, table: Table, column: Column) -> dict[str, Any]:
    """One column as its producer needs it."""
    from hdh_assets.sources.intake.row_rules import words_of  # noqa: PLC0415 - the engine is slow to import

    kind = words_of(column, dataset.format)
    return {
        "column": column.name,
        "type": kind.en if kind.en == kind.fr else f"{kind.en} / {kind.fr}",
        "filled": _filled(table, column),
        "allowed": "; ".join(_allowed(column)),
        "role": f"{column.role} ({column.identifier_type})" if column.identifier_type else column.role,
        "meaning": f"{column.description.en} / {column.description.fr}",
    }


def _filled(table: Table, column: Column) -> str:
    if column.optional:
        return "the column may be lacking"
    is_key = column.lake_name in {name.lower() for name in table.primary_key}
    return "may be empty" if column.nullable and not is_key else "always"


def _allowed(column: Column) -> Iterator[str]:
    """What a value must be besides its type."""
    if column.aliases:
        yield f"also called {', '.join(column.aliases)}"
    if column.codes:
        yield ", ".join(f"{code} ({label})" for code, label in column.codes.items())
    if column.code_list:
        yield f"codes of {column.code_list}"
    if column.minimum is not None:
        yield f"at least {bound_words(column.minimum)}"
    if column.maximum is not None:
        yield f"at most {bound_words(column.maximum)}"
    if column.not_before:
        yield f"not before {column.not_before}"
    if column.pattern:
        yield f"matches {column.pattern}"
    if column.unit:
        yield f"in {column.unit}"
    if column.sentinels:
        yield f"{', '.join(column.sentinels)}: missing"
