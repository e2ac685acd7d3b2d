"""How a delivered table leads to its persons, by its foreign keys. Pure.

Extracts, the withdrawal of versions and the trace of a row go the same way. Taking rows of opposed persons out of the
lake goes by the first filled key of each kind and follows every way there is, since there one row too many is safe
(`sources/opposed/probes.py`).
"""

from __future__ import annotations

from hdh_assets.core.descriptor import Dataset, ForeignKey, Table

NO_WAY = "cannot be limited to the persons of a permit: its descriptor has no foreign key that leads to them"


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


def is_about_nobody(dataset: Dataset, table: Table) -> bool:
    """Whether its rows are delivered whoever is permitted: of a dataset without persons, or a directory of one."""
    return not dataset.has_persons or _is_directory(dataset, table)


def is_deliverable(dataset: Dataset, table: Table) -> bool:
    """Whether its rows can be limited to the persons of a permit, or need not be."""
    return whose(dataset, table) is not None or is_about_nobody(dataset, table)


def person_types(dataset: Dataset) -> frozenset[str]:
    """Identifier types that designate persons in this dataset."""
    return frozenset(c.identifier_type for t in dataset.tables for c in t.person_keys if c.identifier_type)


def _is_directory(dataset: Dataset, table: Table, above: frozenset[str] = frozenset()) -> bool:
    """A list of establishments or professionals: others point to it, and nothing in it leads to a person.

    What leads back to itself or to a table `above`, as an establishment to that it belongs to, leads nowhere new.
    """
    seen = above | {table.lake_name}
    leads = {key.table.lower() for key in table.foreign_keys} - seen
    others = [other for other in dataset.tables if other is not table]
    is_pointed_at = any(key.table.lower() == table.lake_name for other in others for key in other.foreign_keys)
    has_persons = any(c.identifier_type in person_types(dataset) for c in table.lake_columns)
    return is_pointed_at and not has_persons and all(_is_directory(dataset, dataset.by_name[n], seen) for n in leads)
