"""A catalogue entry as people read it: short Markdown sections. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hdh_assets.catalog.entry import Entry
from hdh_assets.catalog.settled import in_words, settled
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.families import FAMILIES
from hdh_assets.core.small_counts import told

_LAST = 12
_BAR = 10


def summary(dataset: Dataset, entry: Entry) -> str:
    """Its main figures and terms, short enough for the UI to show without a click."""
    family = FAMILIES[dataset.family]
    facts = [
        ("Producer", f"{dataset.producer.name} ({dataset.producer.contact})"),
        ("Family", f"{family.en} / {family.fr}"),
        ("Maturity", dataset.maturity),
        ("Legal basis", dataset.legal_basis.en),
        ("Sensitivity", dataset.sensitivity),
        ("Cadence", f"{dataset.cadence} since {dataset.first_period}. {dataset.history.en}"),
        ("Rows", _rows(entry, entry.rows)),
        ("Persons", number(told(entry.persons))),
        ("Events", f"{entry.first_event} to {entry.last_event}" if entry.first_event else "–"),
        ("Periods", f"{len(entry.periods)}, {entry.periods[0]} to {entry.periods[-1]}" if entry.periods else "none"),
        ("Measured at release", number(entry.release)),
    ]
    if months := settled(dataset, entry.periods):
        facts.append(("Complete periods of care", in_words(months.complete)))
        facts.append(("Provisional ones", in_words(months.provisional)))
    rows = "\n".join(f"| **{name}** | {_cell(value)} |" for name, value in facts)
    return f"| {dataset.title.en} | {dataset.title.fr} |\n|---|---|\n{rows}\n"


def tables(dataset: Dataset, entry: Entry) -> str:
    """Tables with their rows, persons and months."""
    lines = [
        (
            table.name,
            table.title.en,
            _rows(entry, found.rows),
            number(told(found.persons)),
            found.first_event or "–",
            found.last_event or "–",
        )
        for table in dataset.tables
        if (found := entry.tables.get(table.lake_name))
    ]
    return _grid(("table", "what it is", "rows", "persons", "first event", "last event"), lines)


def completeness(table: Table, entry: Entry) -> str:
    """Columns of one table with the share of rows where each is filled, where it may be told."""
    found = entry.tables[table.lake_name]
    lines = [
        (_filled(found.completeness.get(column.lake_name)), f"**{column.lake_name}** {column.description.en}")
        for column in (table.lake_columns if found.rows else ())
    ]
    return _grid(("filled", "column"), lines) if lines else "*The table is empty.*"


def last_deliveries(entry: Entry) -> str:
    """The latest periods with rows, rejects and when they were loaded."""
    lines = [
        (d.period, _rows(entry, d.rows), number(d.rejected), d.loaded_at[:16].replace("T", " "), f"`{d.digest}`")
        for d in reversed(entry.deliveries[-_LAST:])
    ]
    return (
        _grid(("period", "rows", "rejected", "loaded at", "delivery"), lines) if lines else "*Nothing delivered yet.*"
    )


def checks(entry: Entry) -> str:
    """Rows concerned by each rule of the intake, over the periods shown."""
    lines = [(rule, number(count)) for rule, count in entry.rejected_by_rule.items() if count]
    return _grid(("rule", "rows concerned"), lines) if lines else "*Every row passed every rule.*"


def rows_of_tables(rows: Mapping[str, int]) -> str:
    """Tables of a release with their rows, largest first."""
    ordered = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    return _grid(("table", "rows"), [(f"`{name}`", number(count)) for name, count in ordered])


def deliveries_of_release(deliveries: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """Datasets of a release with the periods they cover."""
    lines = [
        (f"`{dataset}`", str(len(found)), found[0]["period"], found[-1]["period"])
        for dataset, found in sorted(deliveries.items())
    ]
    return _grid(("dataset", "periods", "first", "last"), lines)


def number(value: int | str | None) -> str:
    """A count with thin groups of thousands, or the words in its place; a dash when there is none."""
    return "–" if value is None else value if isinstance(value, str) else f"{value:,}".replace(",", "\u202f")


def _rows(entry: Entry, count: int) -> str:
    """A count of rows, which are about persons where the dataset is."""
    return number(count if entry.persons is None else told(count))


def _filled(share: float | None) -> str:
    return "not told: few rows" if share is None else f"`{_bar(share)}` {_percent(share)}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share in {0.0, 1.0} else f"{share:.1%}"


def _bar(share: float) -> str:
    full = min(round(share * _BAR), _BAR)
    return "█" * full + "░" * (_BAR - full)


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    body = "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)
    return f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n{body}\n"


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
