"""How a delivered table leads to its persons, by its foreign keys. Pure.

Extracts, the withdrawal of versions and the trace of a row go the same way. Taking rows of opposed persons out of the
lake goes by the first filled key of each kind and follows every way there is, since there one row too many is safe
(`sources/opposed/probes.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, ForeignKey, Table

NO_WAY = "cannot be limited to the persons of a permit: its descriptor has no foreign key that leads to them"
NAMED = (
    "names people ({}), and its descriptor does not say whose rows they are: it takes a person key, a foreign key that "
    "leads to one or, where it lists professionals, their `identifier_type` in its primary key"
)
UNSAID = (
    "is of a dataset that holds identifiers of persons ({}) and does not say whose its rows are, so that nobody who "
    "objects could be taken out: its descriptor must give what designates the person `role: person_key`"
)


def way_to_persons(dataset: Dataset, table: Table) -> ForeignKey | None:
    """The first foreign key of the shortest way to a table that designates persons; the first declared of equals."""
    ways = [(key, dataset.by_name[key.table.lower()]) for key in table.foreign_keys]
    reached = {table.lake_name}
    for first, parent in ways:
        if parent.person_keys:
            return first
        if parent.lake_name not in reached:
            reached.add(parent.lake_name)
            ways += [(first, dataset.by_name[key.table.lower()]) for key in parent.foreign_keys]
    return None


def whose(dataset: Dataset, table: Table) -> Table | None:
    """The table that says whose a table's rows are, itself or the end of its way; None where nothing says.

    The first filled of its person keys does, in declared order: others may tell of somebody else. A row where all are
    empty is nobody's.
    """
    if table.person_keys:
        return table
    key = way_to_persons(dataset, table)
    return whose(dataset, dataset.by_name[key.table.lower()]) if key else None


def deciding_columns(dataset: Dataset, table: Table) -> Iterator[tuple[str, str]]:
    """Columns of the lake, as (table, column), that say whose a table's rows are and of when: its own and its way's."""
    if table.event_column:
        yield table.lake_name, table.event_column.lake_name
    if table.person_keys:
        yield from ((table.lake_name, column.lake_name) for column in table.deciding_keys)
    elif key := way_to_persons(dataset, table):
        parent = dataset.by_name[key.table.lower()]
        yield from ((table.lake_name, column.lower()) for column in key.columns)
        yield from ((parent.lake_name, column.lower()) for column in key.target_columns)
        yield from deciding_columns(dataset, parent)


def is_about_nobody(dataset: Dataset, table: Table) -> bool:
    """Whether its rows are delivered whoever is permitted: of a dataset without persons, or a directory of one."""
    return not dataset.has_persons or _is_directory(dataset, table, dataset.person_types)


def why_undeliverable(dataset: Dataset, table: Table, kinds: Collection[str]) -> str:
    """Why no permit may name a table: nothing says whose its rows are. Empty where one may.

    `kinds` of identifier designate persons in any dataset. One that declares no person and holds such an identifier is
    about persons all the same, and not even oppositions reach its rows.
    """
    if whose(dataset, table) or _is_directory(dataset, table, kinds):
        return ""
    if dataset.has_persons:
        names = [column.name for column in dataset.of_persons(table) if not column.tells]
        return NAMED.format(f"{table.name}.{names[0]}") if names else NO_WAY
    unsaid = [f"{each.name}.{column.name}" for each in dataset.tables for column in _identifiers(dataset, each, kinds)]
    return UNSAID.format(unsaid[0]) if unsaid else ""


def _identifiers(dataset: Dataset, table: Table, kinds: Collection[str]) -> list[Column]:
    """Columns that hold identifiers of persons, in the lake or in the vault."""
    return [*table.columns_of(kinds), *(column for column in dataset.of_persons(table) if not column.is_in_lake)]


def _is_directory(dataset: Dataset, table: Table, kinds: Collection[str], above: frozenset[str] = frozenset()) -> bool:
    """A list of establishments or professionals: others point to it, and nothing in it leads to a person or is of one.

    Identifiers of these `kinds` designate persons; what is sensitive, or tells of a birth, a home, a death is of one.
    What leads back to itself or to a table `above`, as an establishment to that it belongs to, leads nowhere new.
    """
    seen = above | {table.lake_name}
    leads = {key.table.lower() for key in table.foreign_keys} - seen
    others = [other for other in dataset.tables if other is not table]
    is_pointed_at = any(key.table.lower() == table.lake_name for other in others for key in other.foreign_keys)
    is_of_persons = any(column.role is Role.sensitive for column in table.columns) or dataset.of_persons(table)
    if not is_pointed_at or is_of_persons or table.columns_of(kinds):
        return False
    return all(_is_directory(dataset, dataset.by_name[name], kinds, seen) for name in leads)
