"""`hdh release`: the releases of the lake."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from hdh_assets.cli.console import JsonOption, cli_context, out, print_facts, print_json, print_rows

release_app = typer.Typer(no_args_is_help=True, help="Releases: lake snapshots on which every blocking check passed.")


@release_app.command("list")
def list_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the releases, oldest first."""
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.releases import list_releases  # noqa: PLC0415
    from resources.removals import retired  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    lake = open_lake(context.home, context.settings)
    with lake.reader() as engine:
        gone = retired(engine)
    rows = [
        {
            "number": release.number,
            "made_at": release.created_at,
            "deliveries": sum(map(len, release.contents["deliveries"].values())),
            "persons": release.contents["rows"].get("omop.person", 0),
            "checks_passed": release.checks.get("passed", 0),
            "code": release.code_commit,
            "state": "retired: holds somebody who objected" if release.number in gone else "usable",
        }
        for release in list_releases(lake)
    ]
    print_rows(rows, as_json=as_json, empty="no release yet: deliver data, then run `hdh tick`")


@release_app.command("show")
def show_command(
    ctx: typer.Context,
    number: Annotated[int | None, typer.Argument(help="The release; the newest when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a release holds: deliveries, rows by table, checks passed, what was left out and why, codes mapped."""
    from hdh_assets.standard.report import standardisation_report  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.releases import find  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    lake = open_lake(context.home, context.settings)
    release = find(lake, number)
    report = standardisation_report(lake, release)
    if as_json:
        print_json(asdict(release) | report)
        return
    print_facts(
        {
            "release": release.number,
            "made at": release.created_at,
            "snapshot": release.snapshot_id,
            "code": release.code_commit,
            "checks passed": release.checks.get("passed", 0),
        }
    )
    out.print()
    rows = [
        {"dataset": dataset, "periods": len(found), "first": found[0]["period"], "last": found[-1]["period"]}
        for dataset, found in release.contents["deliveries"].items()
    ]
    print_rows(rows, as_json=False, title="deliveries")
    out.print()
    filled = [{"table": table, "rows": count} for table, count in release.contents["rows"].items() if count]
    print_rows(filled, as_json=False, title="tables with rows")
    out.print()
    print_rows(report["left_out"], as_json=False, title="rows left out", empty="nothing was left out")
    out.print()
    print_rows(report["mapped"], as_json=False, title="codes with a standard concept", empty="no code")
