"""Which rules of the intake a table implies, what receipts say about each, and which periods stay refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.sources.intake.admission import is_deliverable
from hdh_assets.sources.intake.manifest import table_of
from hdh_assets.sources.intake.receipt import Receipt
from hdh_assets.sources.intake.rule_texts import RULES
from resources.lake_tables import scope
from resources.ledger import Attempt

_TYPED = frozenset({"integer", "decimal", "float", "date", "timestamp", "year", "yearmonth", "boolean", "uuid"})


def rules_of(table: Table) -> dict[str, str]:
    """The row rules that apply to the table, each with the sentence that describes its check."""
    columns = table.columns
    applies = {
        "required": (any(not c.nullable for c in columns), "Columns that must be filled are filled."),
        "type": (any(c.kind in _TYPED for c in columns), "Numbers, dates and codes are written as declared."),
        "length": (any(c.length for c in columns), "No text is longer than declared."),
        "in_list": (any(c.codes for c in columns), "Codes are among those declared."),
        "range": (any(c.minimum is not None or c.maximum is not None for c in columns), "Values are within bounds."),
        "order": (any(c.not_before for c in columns), "No end comes before its start."),
        "pattern": (any(c.pattern for c in columns), "Texts have the declared form."),
        "duplicate_key": (bool(table.primary_key), "Each primary key appears once."),
        "other_period": (table.unique_across_periods, "No period brings rows that another period brought."),
        "orphan": (bool(table.foreign_keys), "Foreign keys are found in the table they point to."),
    }
    return {rule: sentence for rule, (is_implied, sentence) in applies.items() if is_implied}


def rows_concerned(receipts: Iterable[Receipt], table: Table, rule: str) -> int:
    """Rows of the table that broke the rule, over these receipts."""
    return sum(
        receipt.tables[table.lake_name].by_rule.get(rule, 0)
        for receipt in receipts
        if table.lake_name in receipt.tables
    )


def periods_concerned(receipts: Iterable[Receipt], table: Table, rule: str) -> dict[str, int]:
    """Rows of the table that broke the rule by period, where there are any, in order."""
    counts = {receipt.period: rows_concerned([receipt], table, rule) for receipt in receipts}
    return {period: count for period, count in sorted(counts.items()) if count}


def columns_concerned(receipts: Iterable[Receipt], dataset: Dataset, table: Table, rule: str) -> dict[str, int]:
    """Rows that broke the rule by column, largest first; column names only, never a value."""
    counts: dict[str, int] = {}
    for problem in (p for receipt in receipts for p in receipt.problems if p.rule == rule and p.column):
        # where rows are counted and none is looked for, the table stands for its files
        named = table_of(dataset, problem.file) or dataset.by_name.get(problem.file.lower()) if problem.file else None
        if named is not None and named.name == table.name and problem.column:
            counts[problem.column] = counts.get(problem.column, 0) + problem.count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def uncorrected(answers: Iterable[Attempt], dataset: Dataset, now: datetime) -> list[Attempt]:
    """The refusal of each period whose newest answer is one, in order; `answers` are oldest first.

    Where a later period takes the place of earlier ones, its acceptance corrects them as well. A delivery in another
    producer's folder, or of a period that the dataset has not, can never be corrected there and is left out.
    """
    newest: dict[str, Attempt] = {}
    latest: dict[str, str] = {}
    for answer in answers:
        if answer.producer == dataset.producer.id and is_deliverable(dataset, answer.period, now):
            newest[answer.period] = answer
            if answer.status != "refused":
                filled = scope(dataset, answer.period)
                latest[filled] = max(latest.get(filled, ""), answer.period)
    return [
        answer
        for period, answer in sorted(newest.items())
        if answer.status == "refused" and period >= latest.get(scope(dataset, period), "")
    ]


def rules_named(receipt: Receipt | None) -> list[str]:
    """The rules for which it refused; none without a receipt. Producers reach their outbox: no other word is told."""
    return sorted({problem.rule for problem in receipt.problems} & RULES.keys()) if receipt else []
