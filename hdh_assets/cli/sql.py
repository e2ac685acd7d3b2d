"""`hdh sql`: read the lake, at its head or as of a release. Nothing can be written, and no other file read."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count, islice
from typing import Annotated, Any

import duckdb
import typer

from hdh_assets.cli.console import JsonOption, cli_context, err, print_json_rows, print_rows
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.sql_text import literal
from resources.lake import ALIAS, Lake, open_lake

SHOWN_ROWS = 200
_AT_ONCE = 1000
"""Rows taken from the engine together."""
_NAME_TABLES = (
    "name tables as omop.person or snds_dcir.er_prs_f: `hdh dataset list` has the datasets, `hdh dataset show ID` "
    "the tables of one"
)
_EXPLAIN = re.compile(r"\s*EXPLAIN(\s+ANALYZE)?\b", re.IGNORECASE)
_TABLE_FUNCTIONS = re.compile(
    r"duckdb_(columns|constraints|functions|keywords|schemas|tables|types|views)|pragma_(show|table_info|version)"
    r"|json_(each|tree)|unnest|range|generate_series|repeat|repeat_row|summary|histogram|histogram_values"
    r"|(ducklake_)?(snapshots|current_snapshot|last_committed_snapshot|table_info)",
    re.IGNORECASE,
)
"""Functions in FROM that a query may call. Others open files and databases by themselves, whatever the engine allows,
or tell of rows that were removed, of addresses with their passwords, of the keys of files."""
_TELLING = frozenset({"current_setting", "getenv"})
"""Functions anywhere in a query that tell of the session: it holds the keys of the object storage."""
_NAME_OF_A_TABLE = re.compile(r"\w+")
"""Of a file, where the engine would look for one, there is more in the name."""
_ABOUT_TABLES = "information_schema"
"""The schema of the engine's own that tells of tables and columns alone."""


def sql_command(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="One SELECT. Tables: omop.person, snds_dcir.er_prs_f, meta.delivery …")],
    release: Annotated[int | None, typer.Option("--release", help="Read that release instead of the head.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one read-only query on the lake."""
    from resources.releases import find  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    lake = open_lake(context.home, context.settings)
    snapshot = find(lake, release).snapshot_id if release is not None else None
    if as_json:
        with closing(rows_of(lake, query, snapshot=snapshot)) as rows:
            print_json_rows(rows)
        return
    shown = read(lake, query, snapshot=snapshot, most=SHOWN_ROWS + 1)
    print_rows(shown[:SHOWN_ROWS], as_json=False, empty="no rows", verbatim=True)
    if len(shown) > SHOWN_ROWS:
        err.print(f"[dim]the first {SHOWN_ROWS} rows, and there are more; add a LIMIT, or --json for all[/]")


def read(lake: Lake, query: str, *, snapshot: int | None = None, most: int | None = None) -> list[dict[str, Any]]:
    """Rows of one query as `rows_of` gives them, kept: the first `most` where that is given."""
    with closing(rows_of(lake, query, snapshot=snapshot)) as rows:
        return list(islice(rows, most))


def rows_of(lake: Lake, query: str, *, snapshot: int | None = None) -> Generator[dict[str, Any]]:
    """Rows of one query as dicts, as they are asked for: the engine makes no more of them, and none is kept.

    To be closed: a reader of the lake is open meanwhile. Raises `RefusedError` when it is not a single reading
    statement, `HubError` when it cannot run; nothing before the first row is asked for.
    """
    parsed = _checked(query)
    with lake.reader(snapshot=snapshot) as engine:
        _confine(engine, lake)
        _check_tables(parsed, engine)
        try:
            answer = engine.execute(query)
            names = _told_apart([column[0] for column in answer.description or []])
            while found := answer.fetchmany(_AT_ONCE):
                yield from (dict(zip(names, row, strict=True)) for row in found)
        except duckdb.Error as error:
            raise HubError(f"the query failed: {_first_line(error)}", remedy=_remedy(error, parsed)) from None


def _checked(query: str) -> Any:
    """The query, parsed. Refuses what is not one SELECT that calls functions that only read."""
    try:
        statements = duckdb.extract_statements(query)
        explained = _EXPLAIN.match(query)
        parsed = _parsed(query[explained.end() :] if explained else query)
    except duckdb.Error as error:
        raise HubError(
            f"the query is not valid SQL: {_first_line(error)}", remedy="write one SELECT, as DuckDB understands it"
        ) from None
    except (TypeError, UnicodeEncodeError):
        raise HubError("the query is not text", remedy="write it in UTF-8") from None
    if len(statements) != 1 or parsed is None:
        raise RefusedError(
            "`hdh sql` takes one SELECT", remedy="the lake is written by deliveries and the hub's runs alone"
        )
    if any("at_clause" in node and node["at_clause"] for node in _nodes(parsed)):
        raise RefusedError(
            "`hdh sql` does not look back at rows that may have been removed since",
            remedy="name a release: --release N",
        )
    called = {name for name in _functions_in_from(parsed) if not _TABLE_FUNCTIONS.fullmatch(name)}
    if unknown := sorted(called | (_TELLING & set(_functions(parsed)))):
        raise RefusedError(f"`hdh sql` does not call {', '.join(unknown)}", remedy="it reads tables of the lake")
    return parsed


def _check_tables(parsed: Any, engine: duckdb.DuckDBPyConnection) -> None:
    """Refuse what a query reads that is neither a table of the lake nor one it makes itself (WITH).

    The engine has views of its own, which tell of addresses with their passwords and of the keys of files; DuckLake's
    tables have bounds of rows that were removed.
    """
    listed = (
        f"SELECT lower(table_schema), lower(table_name) FROM information_schema.tables WHERE table_catalog = '{ALIAS}'"
    )
    tables = set(engine.execute(listed).fetchall())
    # within its own WITH a name still means what it did before: nothing the engine finds by itself can be named anew
    own = f"SELECT view_name FROM duckdb_views() WHERE internal AND schema_name <> '{_ABOUT_TABLES}'"
    made = {name for name in _names_made(parsed) if _NAME_OF_A_TABLE.fullmatch(name)}
    made -= {name for (name,) in engine.execute(own).fetchall()}
    unknown = {".".join(filter(None, named)) for named in _tables(parsed) if not _is_readable(*named, tables, made)}
    if unknown:
        raise RefusedError(
            f"`hdh sql` reads tables of the lake, and {', '.join(sorted(unknown))} is none", remedy=_NAME_TABLES
        )


def _is_readable(catalog: str, schema: str, table: str, tables: set[tuple[str, str]], made: set[str]) -> bool:
    if schema == _ABOUT_TABLES and catalog in {"", "system"}:
        return True
    if catalog not in {"", ALIAS}:
        return False
    if not schema:
        return table in made or ("main", table) in tables
    return (schema, table) in tables or (schema == ALIAS and ("main", table) in tables)


def _parsed(query: str) -> Any:
    """The query as the engine's parser understands it; None for anything but one or several SELECT."""
    with duckdb.connect() as engine:
        tree = json.loads(engine.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()[0][0])
    return None if tree["error"] else tree["statements"]


def _functions(tree: Any) -> Iterator[str]:
    return (str(node["function_name"]).lower() for node in _nodes(tree) if "function_name" in node)


def _functions_in_from(tree: Any) -> Iterator[str]:
    return (str(node["function"]["function_name"]) for node in _nodes(tree) if node.get("type") == "TABLE_FUNCTION")


def _tables(tree: Any) -> set[tuple[str, str, str]]:
    """What a query reads by name, as (catalog, schema, table) in lower case; empty where it names none."""
    return {
        (str(node["catalog_name"]).lower(), str(node["schema_name"]).lower(), str(node["table_name"]).lower())
        for node in _nodes(tree)
        if node.get("type") == "BASE_TABLE"
    }


def _names_made(tree: Any) -> Iterator[str]:
    """Names that a query gives to queries within it."""
    return (str(made["key"]).lower() for node in _nodes(tree) for made in node.get("cte_map", {}).get("map", ()))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """The parts of a parsed query, itself included."""
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(part)


def _confine(engine: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Only the lake's own files may be opened from here on, and no setting changed."""
    engine.execute("USE lake")
    engine.execute(f"SET allowed_directories = [{literal(lake.data_path)}]")
    engine.execute("SET enable_external_access = false")
    engine.execute("SET python_enable_replacements = false")
    engine.execute("SET lock_configuration = true")


def _told_apart(names: list[str]) -> list[str]:
    """Names of columns, those that come again numbered: `person_id`, `person_id_1`."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        found.append(name if name not in found else next(each for each in numbered if each not in {*names, *found}))
    return found


def _remedy(error: duckdb.Error, parsed: Any) -> str | None:
    """What to do about a query that names what is not there; None where only its writer knows."""
    match error:
        case duckdb.CatalogException():
            return _NAME_TABLES
        case duckdb.BinderException():
            made = set(_names_made(parsed))
            named = sorted(f"{schema}.{table}".lstrip(".") for _, schema, table in _tables(parsed) if table)
            described = [f'`hdh sql "DESCRIBE {name}"`' for name in named if name not in made]
            return f"see the columns: {', '.join(described)}" if described else None
        case _:
            return None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
