"""`hdh oppose`: a person objects to the use of their data. At the trusted third party: it needs the identity keys.

What is kept is the hub pseudonym, never the identifier. Extracts made from then on leave the person out.
"""

from __future__ import annotations

from typing import Annotated

import typer

from hdh_assets.cli.console import JsonOption, cli_context, print_rows, say
from hdh_assets.core.errors import RefusedError

oppose_app = typer.Typer(no_args_is_help=True, help="Oppositions: record, list.")


@oppose_app.command("add")
def add_command(
    ctx: typer.Context,
    identifier_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="Kind of identifier, as descriptors name it (`snds_nir`, …).")
    ],
) -> None:
    """Record an opposition. The identifier is asked for (or read from a pipe), so that no history keeps it."""
    from uuid import UUID  # noqa: PLC0415

    import polars as pl  # noqa: PLC0415

    from hdh_assets.governance.register import OPPOSITION  # noqa: PLC0415
    from resources.keys import open_keys  # noqa: PLC0415
    from resources.pseudonyms import open_pseudonymiser  # noqa: PLC0415
    from resources.registry import Registry, current_actor  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    known = sorted(
        {c.identifier_type for d in context.datasets().values() for t in d.tables for c in t.person_keys} - {None},
        key=str,
    )
    if identifier_type not in known:
        raise RefusedError(
            f"no person is known by {identifier_type!r}", remedy=f"choose one of: {', '.join(map(str, known))}"
        )
    pseudonymiser = open_pseudonymiser(open_keys(context.home))
    identifier = typer.prompt("Identifier", hide_input=True).strip()
    digits = pseudonymiser.pseudonymise(pl.Series([identifier]), identifier_type)[0]
    data = {"pseudonym": str(UUID(digits)), "identifier_type": identifier_type}
    event = Registry(context.home, context.settings).append(OPPOSITION, "person", current_actor(), data)
    say(f"[green]✓[/] opposition recorded (event {event.seq}); extracts made from now on leave the person out")


@oppose_app.command("list")
def list_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the oppositions: when and by which kind of identifier, nothing that designates the person."""
    from hdh_assets.governance.register import OPPOSITION  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    rows = [
        {"event": event.seq, "at": event.at, "identifier_type": event.data.get("identifier_type"), "by": event.actor}
        for event in Registry(context.home, context.settings).events(OPPOSITION)
    ]
    print_rows(rows, as_json=as_json, empty="nobody objected")
