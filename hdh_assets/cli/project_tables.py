"""`hdh project tables`: what a dossier may ask for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hdh_assets.cli.console import JsonOption, cli_context, print_rows


def tables_command(
    ctx: typer.Context,
    table: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="A table, as omop.person, to see its columns.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the tables a dossier may ask for, or the columns of one with what an extract makes of each."""
    from hdh_assets.extracts.askable import askable_columns, askable_tables  # noqa: PLC0415

    datasets = cli_context(ctx).datasets()
    if table is None:
        rows = askable_tables(datasets)
        told = [{name: row[name] for name in ("table", "columns", "meaning")} for row in rows]
    else:
        rows = askable_columns(datasets, table)
        told = [_told(row) for row in rows]
    print_rows(rows if as_json else told, as_json=as_json, verbatim=not as_json)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    coarsest, finest = row["in_an_extract"], row["at_the_finest_precision"]
    listed = "only where the dossier lists it; " if row["only_if_listed"] else ""
    fine = "" if finest == coarsest else f"; at the finest precision {finest}"
    meaning = f"{row['meaning']} (usable in persons_with)" if row["says_who_is_meant"] else row["meaning"]
    return {
        "column": row["column"],
        "type": row["type"],
        "role": row["role"],
        "meaning": meaning,
        "in an extract": f"{listed}{coarsest}{fine}",
    }
