"""`hdh demo`: a hub with everything in it, from nothing, on synthetic data. Running it again adds what is missing.

Only an unused hub becomes a demonstration, and says so in `demo.json`: synthetic persons never join real ones.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from hdh_assets.cli.console import (
    MOST_PERSONS,
    Context,
    JsonOption,
    SeedOption,
    cli_context,
    err,
    out,
    print_facts,
    print_json,
    progress,
    typed,
)
from hdh_assets.cli.init import initialise
from hdh_assets.cli.tick import run_tick
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.files import write_atomically

DOSSIER = Path(__file__).with_name("demo.dossier.yaml")
FIRST = date(2024, 1, 1)


def demo_command(
    ctx: typer.Context,
    persons: Annotated[int, typer.Option("--persons", min=10, max=MOST_PERSONS, help="Size of the population.")] = 2000,
    months: Annotated[int, typer.Option("--months", min=1, max=120, help="Months of deliveries.")] = 6,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Make a hub with synthetic deliveries of every dataset, OMOP, a release, a catalogue and one project's extract."""
    started = time.monotonic()
    context = cli_context(ctx)
    initialise(context)
    _claim(context, {"persons": persons, "months": months, "seed": seed})
    delivered = _deliver(context, persons, months, seed)
    err.print(f"[green]✓[/] {delivered} deliveries dropped in the inbox", highlight=False)
    failed = len(run_tick(context, quiet=as_json).failed)
    if _grant(context):
        err.print("[green]✓[/] a demonstration project was filed, approved and granted a permit")
    failed += len(run_tick(context, quiet=as_json).failed)
    facts = _facts(context) | {"seconds": round(time.monotonic() - started)}
    if as_json:
        print_json(facts | {"failed": failed})
    else:
        out.print()
        print_facts(facts, title="A working hub")
        _where_to_look(context)
    if failed:
        raise HubError(f"{failed} runs failed", remedy="see them with `hdh up`, then run `hdh demo` again")


def _claim(context: Context, options: dict[str, int]) -> None:
    """Mark the home as a demonstration of these options.

    Raises `RefusedError` when it is one of others, or a hub that something was delivered to or decided in.
    """
    mark = context.home.demonstration
    try:
        made = json.loads(mark.read_text("utf-8"))
    except FileNotFoundError:
        made = None
    elsewhere = "make this one in another home: `hdh --home FOLDER demo`"
    if made is None and _is_used(context):
        raise RefusedError(
            f"{context.home.root} is a hub in use: a demonstration would put synthetic persons into it",
            remedy=elsewhere,
        )
    if made not in (None, options):
        had = " ".join(f"--{name} {value}" for name, value in made.items())
        raise RefusedError(f"{context.home.root} is a demonstration made with {had}", remedy=f"say so, or {elsewhere}")
    write_atomically(mark, (json.dumps(options) + "\n").encode(), 0o600)


def _is_used(context: Context) -> bool:
    """Whether anything was ever dropped, delivered or decided here."""
    from resources.ledger import Ledger  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    home, settings = context.home, context.settings
    if any(home.inbox.glob("*/*/*")) or Ledger(home, settings).attempts():
        return True
    with Registry(home, settings) as registry:
        return bool(registry.events())


def _deliver(context: Context, persons: int, months: int, seed: int) -> int:
    """Make and drop the deliveries the lake does not have; how many."""
    from hdh_assets.core.periods import periods_between  # noqa: PLC0415
    from hdh_assets.sources.synth.generate import generate  # noqa: PLC0415

    datasets = context.datasets()
    first, last = f"{FIRST:%Y-%m}", _month_after(FIRST, months - 1)
    missing = {
        name: dataset
        for name, dataset in datasets.items()
        if set(periods_between(dataset.cadence, first, last)) - set(_present(context, dataset))
    }
    made = context.home.tmp / "demo"
    dropped = 0
    try:
        with progress("making synthetic deliveries") as (bar, task):
            folders = generate(
                datasets,
                list(missing),
                persons=persons,
                first=first,
                last=last,
                seed=seed,
                out=made,
                on_progress=lambda name, period: bar.update(task, description=f"making {name} {period}"),
            )
        for folder in folders:
            dropped += _drop(context, datasets[folder.parent.name], folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return dropped


def _drop(context: Context, dataset: Dataset, folder: Path) -> bool:
    """Move a sealed delivery to its place, unless the period is there already."""
    if folder.name in _present(context, dataset):
        return False
    target = context.home.inbox / dataset.producer.id / dataset.id / folder.name
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    return True


def _present(context: Context, dataset: Dataset) -> Iterator[str]:
    """Periods in the lake or waiting in the inbox."""
    from resources.lake import open_lake  # noqa: PLC0415

    with open_lake(context.home, context.settings).reader() as engine:
        found = engine.execute("SELECT DISTINCT period FROM lake.meta.delivery WHERE dataset = ?", [dataset.id])
        yield from (period for (period,) in found.fetchall())
    inbox = context.home.inbox / dataset.producer.id / dataset.id
    yield from (path.name for path in (inbox.iterdir() if inbox.is_dir() else ()))


def _grant(context: Context) -> bool:
    """File, approve and grant the demonstration project; False when somebody already did."""
    from hdh_assets.core.yaml_file import read_model  # noqa: PLC0415
    from hdh_assets.governance import decisions, register  # noqa: PLC0415
    from hdh_assets.governance.dossier import Dossier, DossierError  # noqa: PLC0415
    from resources.registry import Registry, current_actor  # noqa: PLC0415

    dossier = read_model(DOSSIER, Dossier, DossierError)
    reason, today = "A demonstration on synthetic data.", register.today()
    with Registry(context.home, context.settings) as registry:
        if dossier.project in register.projects(registry):
            return False
        for decision in (
            decisions.submit(dossier, today),
            decisions.give_opinion(dossier.project, favourable=True, reason=reason, today=today),
            decisions.grant(dossier.project, expires=None, conditions="", today=today),
        ):
            registry.act(current_actor(), decision)
    return True


def _facts(context: Context) -> dict[str, object]:
    from hdh_assets.extracts.versions import list_versions  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.releases import latest  # noqa: PLC0415

    release = latest(open_lake(context.home, context.settings))
    rows = release.contents["rows"] if release else {}
    deliveries = release.contents["deliveries"] if release else {}
    return {
        "home": str(context.home.root),
        "deliveries in force": sum(len(found) for found in deliveries.values()),
        "rows delivered": sum(n for name, n in rows.items() if name.partition(".")[0] in deliveries),
        "persons in OMOP": rows.get("omop.person", 0),
        "rows in OMOP": sum(n for name, n in rows.items() if name.startswith("omop.")),
        "release": release.number if release else None,
        "checks passed": release.checks.get("passed", 0) if release else 0,
        "extracts": ", ".join(version.name for version in list_versions(context.home)) or None,
    }


def _where_to_look(context: Context) -> None:
    extract = typed(context.home.projects / "demo_diabetes" / "v1")
    hdh = escape(context.hdh)
    out.print()
    for command, meaning in (
        (f"{hdh} up", "all of it in the Dagster UI, with its lineage"),
        (f"{hdh} receipts", "what producers were answered"),
        (f"{hdh} dataset show snds_dcir", "a catalogue entry"),
        (f'{hdh} sql "SELECT count(*) FROM omop.drug_exposure"', "the lake"),
        (f"ls {extract}", "what the project received"),
        (f"{hdh} trace {extract}", "the producers' files it came from"),
    ):
        out.print(f"  [bold]{command}[/]  [dim]{meaning}[/]", highlight=False)


def _month_after(day: date, months: int) -> str:
    index = day.year * 12 + day.month - 1 + months
    return f"{index // 12:04}-{index % 12 + 1:02}"
