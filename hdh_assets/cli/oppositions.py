"""`hdh oppose`: a person objects to the use of their data, or changes their mind. At the trusted third party.

Identifiers are asked for without echo, or read from a pipe or a file: never an argument, so that no history, process
list or log has them. What is printed never tells whether the hub holds data about the person, unless asked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from hdh_assets.cli.console import (
    Context,
    JsonOption,
    cli_context,
    joined,
    out,
    print_facts,
    print_json,
    print_rows,
    say,
)
from hdh_assets.cli.opposition_texts import recorded_text, withdrawn_text
from hdh_assets.core.column import Text
from hdh_assets.core.errors import HubError, MisuseError, RefusedError
from hdh_assets.core.opposition import (
    NIR,
    Opposition,
    column_kinds,
    identifier_types,
    is_doubtful,
    is_unlike,
    plain_rank,
    reached,
)

_MOST_CHARACTERS = 64 << 20
oppose_app = typer.Typer(no_args_is_help=True, help="Oppositions: add, list, show, withdraw.")

NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the opposition (`hdh oppose list`).")]


@oppose_app.command("add")
def add_command(
    ctx: typer.Context,
    identifier_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="Kind of identifier, as descriptors name it: `nir`, `snds_nir`, …")
    ],
    datasets: Annotated[
        list[str] | None,
        typer.Option("--dataset", help="Only this dataset; may be repeated. All the person's data when left out."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A file of identifiers, one a line, instead of the prompt or a pipe.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Record the opposition of a person, or of many. The identifier is asked for, or read from a pipe or a file.

    A national pseudonym that same-sex twins share is followed by the rank: `PSEUDONYM;1`. Without it both are kept out.
    The next `hdh tick`, or the running hub, removes their rows and replaces the extracts that hold them.
    """
    context = cli_context(ctx).require_home()
    may_have_rank = _check_type(context, identifier_type)
    chosen = _check_datasets(context, datasets or [], identifier_type)
    identifiers = [_split(line, may_have_rank) for line in _lines(file, may_have_rank)]
    if not identifiers:
        raise HubError("no identifier was given", remedy="type it, pipe it, or name a file with --file")

    _warn_of_doubts(context, identifier_type, [identifier for identifier, _ in identifiers])
    _warn_of_missing(context, identifier_type)

    from hdh_assets.sources.opposed.record import record_oppositions  # noqa: PLC0415

    kinds = column_kinds(identifier_type, context.datasets().values())
    found = record_oppositions(context.home, context.settings, identifiers, identifier_type, chosen, kinds)
    answers = [
        {
            "opposition": entry.number,
            "recorded_at": entry.recorded_at,
            "is_new": is_new,
            "datasets": entry.datasets,
            "acknowledgement": _acknowledged(context, entry, identifier_type).model_dump(),
        }
        for entry, is_new in found
    ]
    if as_json:
        print_json(answers)
        return
    for entry, is_new in found:
        say(f"[green]✓[/] opposition {entry.number} {'recorded' if is_new else 'was recorded already'}")
    if len(found) == 1:
        _print_text(_acknowledged(context, found[0][0], identifier_type))
    say("  next: `hdh tick` (or the running hub) removes the rows, releases, and replaces the extracts concerned")


@oppose_app.command("list")
def list_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the oppositions: number, day, kind of identifier, scope, state. Nothing that designates a person."""
    from hdh_assets.governance.oppositions import fold_oppositions  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415
    from resources.removals import followed  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    with Registry(context.home, context.settings) as registry:
        recorded = fold_oppositions(registry.events())
    with open_lake(context.home, context.settings).reader() as engine:
        known = followed(engine)
        applied = min(known.applied, known.standardised)
    rows: list[dict[str, Any]] = [
        {
            "opposition": entry.number,
            "recorded_at": entry.recorded_at,
            "identifier_type": entry.identifier_type,
            "datasets": ", ".join(entry.datasets) or "all",
            "state": entry.state(applied),
            "withdrawn_at": entry.withdrawn_at,
        }
        for entry in recorded
    ]
    print_rows(rows, as_json=as_json, empty="nobody objected")


@oppose_app.command("show")
def show_command(
    ctx: typer.Context,
    number: NumberArgument,
    tell: Annotated[
        bool, typer.Option("--tell", help="Also tell where the hub holds data about the person. For the operator only.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an opposition. With --tell, also the deliveries from which the person's rows were kept out."""
    from resources.oppositions import read_book  # noqa: PLC0415

    entry = read_book(cli_context(ctx).require_home().home).find(number)
    facts: dict[str, Any] = {
        "opposition": entry.number,
        "recorded_at": entry.recorded_at,
        "identifier_type": entry.identifier_type,
        "datasets": ", ".join(entry.datasets) or "all",
        "withdrawn_at": entry.withdrawn_at,
    }
    places = sorted({(place.dataset, place.period) for place in entry.places})
    if as_json:
        told = {"kept_out_of": [{"dataset": d, "period": p} for d, p in places]} if tell else {}
        print_json(facts | told)
        return
    print_facts(facts)
    if tell:
        rows = [{"dataset": dataset, "period": period} for dataset, period in places]
        print_rows(rows, as_json=False, title="Kept out of", empty="no row of this person was found so far")


@oppose_app.command("withdraw")
def withdraw_command(ctx: typer.Context, number: NumberArgument, as_json: JsonOption = False) -> None:
    """The person changes their mind: their rows come back from the encrypted originals at the next `hdh tick`."""
    from hdh_assets.sources.opposed.record import withdraw_opposition  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    left = withdraw_opposition(context.home, context.settings, number)
    text = withdrawn_text(number, left)
    if as_json:
        print_json({"opposition": number, "still_standing": left, "acknowledgement": text.model_dump()})
        return
    say(f"[green]✓[/] opposition {number} is withdrawn")
    _print_text(text)


def _check_type(context: Context, identifier_type: str) -> bool:
    """Whether a rank may follow such an identifier. Raises `RefusedError` for a kind nobody is known by."""
    known = identifier_types(context.datasets().values())
    if identifier_type not in known:
        raise RefusedError(f"no person is known by {identifier_type!r}", remedy=f"choose one of: {', '.join(known)}")
    return known[identifier_type]


def _warn_of_doubts(context: Context, identifier_type: str, given: list[str]) -> None:
    """Tell which identifiers cannot be what they are said to be. They are recorded as given: producers err, too."""
    datasets = context.datasets().values()
    is_wrong = is_doubtful if identifier_type == NIR else lambda one: is_unlike(one, identifier_type, datasets)
    wrong = [str(position) for position, identifier in enumerate(given, start=1) if is_wrong(identifier)]
    what = "no NIR, or the key of another" if identifier_type == NIR else f"no {identifier_type} has that form"
    if len(given) == 1 and wrong:
        say(f"[yellow]·[/] {what}: check that it was copied right; it is recorded as given")
    elif wrong:
        say(f"[yellow]·[/] {what}: check {', '.join(wrong)}; they are recorded as given")


def _warn_of_missing(context: Context, identifier_type: str) -> None:
    """Tell of deliveries in which nobody can be looked up by that kind. It says nothing about the person."""
    from hdh_assets.sources.opposed.missing import missing_identities  # noqa: PLC0415
    from resources.keys import open_keys  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.vault import open_vault  # noqa: PLC0415

    vault = open_vault(context.home, open_keys(context.home))
    with open_lake(context.home, context.settings).reader() as engine:
        missing = missing_identities(engine, vault, context.datasets(), identifier_type)
    if missing:
        say(f"[yellow]![/] no identities of {joined(missing)} in the vault: a {identifier_type} finds nobody there")
        say("  restore vault/identities, or `hdh backfill` these periods")


def _acknowledged(context: Context, entry: Opposition, identifier_type: str) -> Text:
    datasets = context.datasets()
    found = reached(identifier_type, datasets.values())
    others = [each.title for each in datasets.values() if each.has_persons and each.id not in found]
    chosen = [datasets[name].title for name in entry.datasets if name in datasets]
    return recorded_text(entry.number, entry.recorded_at, chosen, [] if chosen else others)


def _check_datasets(context: Context, chosen: list[str], identifier_type: str) -> list[str]:
    known = [dataset.id for dataset in context.datasets().values() if dataset.has_persons]
    if unknown := sorted(set(chosen) - set(known)):
        raise RefusedError(
            f"no dataset about persons is called {', '.join(unknown)}", remedy=f"choose among: {', '.join(known)}"
        )
    found = reached(identifier_type, context.datasets().values())
    if beyond := sorted(set(chosen) - set(found)):
        raise RefusedError(
            f"no {identifier_type} finds anybody in {', '.join(beyond)}",
            remedy=f"give the identifier that is in use there; this one is in use in {', '.join(found)}",
        )
    return sorted(set(chosen))


def _lines(file: Path | None, may_have_rank: bool) -> Iterable[str]:
    """Lines with something on them: of the file, of the pipe, or one asked for without echo."""
    if file is not None:
        try:
            with file.open(encoding="utf-8-sig") as opened:
                text = opened.read(_MOST_CHARACTERS + 1)
        except (OSError, UnicodeDecodeError):
            raise HubError(f"{file} cannot be read as UTF-8 text", remedy="check the file") from None
        if len(text) > _MOST_CHARACTERS:
            raise HubError(f"{file} is larger than a list of persons can be", remedy="check the file, or cut it")
    elif sys.stdin is None:
        raise MisuseError("standard input is closed", remedy="give --file, or the identifiers by a pipe")
    elif sys.stdin.isatty():
        text = typer.prompt("Identifier;rank" if may_have_rank else "Identifier", hide_input=True)
    else:
        text = sys.stdin.read()
    return [line.strip() for line in text.splitlines() if line.strip()]


def _split(line: str, may_have_rank: bool) -> tuple[str, str]:
    identifier, _, rank = line.partition(";") if may_have_rank else (line, "", "")
    return identifier.strip(), plain_rank(rank)


def _print_text(text: Text) -> None:
    out.print(f"\n{text.fr}\n\n{text.en}\n")
