"""The receipt's page: both languages, every rule in words, no broken table."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

from hdh_assets.core.column import Text
from hdh_assets.sources.intake.receipt import MAX_PROBLEMS, Receipt, TableCounts, problem, told
from hdh_assets.sources.intake.receipt_page import page
from hdh_assets.sources.intake.rule_texts import RULES

WORDS = Text(en="Do this.", fr="Faites ceci.")


def receipt(**changes: object) -> Receipt:
    content = {
        "status": "accepted_with_rejects", "dataset": "care", "period": "2024-01", "producer": "clinic",
        "digest": "a" * 64, "delivery_id": "x", "what_next": WORDS, "run_id": "r",
        "started_at": datetime(2024, 1, 1, tzinfo=UTC), "finished_at": datetime(2024, 1, 1, tzinfo=UTC),
    } | changes  # fmt: skip
    return Receipt.model_validate(content)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_speaks_both_languages_with_the_same_details(rule: str) -> None:
    text = RULES[rule]
    assert all(text)
    fields = [{name for _, name, _, _ in string.Formatter().parse(part) if name} for part in text]
    details = dict.fromkeys(set().union(*fields), "7")
    found = problem(rule, file="F.csv", line=3, **details)
    assert found.expected.en
    assert found.expected.fr


def test_page_has_counts_and_lines_in_both_languages() -> None:
    broken = problem("pattern", file="F.csv", lines=[12, 3], column="A", count=1234, expected="a|b")
    text = page(receipt(tables={"f": TableCounts(rows=1_000_000, rejected=1234)}, problems=(broken,)))
    assert "lignes 3, 12, …" in text
    assert "lines 3, 12, …" in text
    assert "1 000 000" in text
    assert "1,000,000" in text
    rows = [line for line in text.splitlines() if line.startswith("| `F.csv`")]
    assert [line.replace("\\|", "").count("|") for line in rows] == [7, 7]


def test_french_has_a_space_before_a_colon() -> None:
    french, _, english = page(receipt(sealed_at=datetime(2024, 1, 1, tzinfo=UTC))).partition("---\n\n#")
    assert "* Scellée : 2024-01-01 00:00 UTC" in french
    assert not [line for line in french.splitlines() if line.startswith("*") and ": " in line.replace(" : ", "")]
    assert "* Sealed: 2024-01-01 00:00 UTC" in english


def test_json_reads_back() -> None:
    assert Receipt.model_validate_json(receipt().to_json()) == receipt()


def test_one_is_not_many() -> None:
    found = problem("wrong_rows", file="F.csv", expected=1, found=0)
    assert (found.expected.en, found.expected.fr) == ("1 row, as sealed", "1 ligne, comme scellé")
    assert (found.found.en, found.found.fr) == ("0 rows", "0 ligne")


def test_no_more_problems_are_told_than_a_reader_can_use() -> None:
    few = [problem("pattern", file="F.csv", column="A", expected="a")] * MAX_PROBLEMS
    many = [*few, *(problem("pattern", file=f"F{n % 2}.csv", column="A", expected="a") for n in range(1234))]
    assert told(few) == tuple(few)
    assert told(many)[:-1] == tuple(few)
    assert told(many)[-1].found.en == "1,234 more than the 100 listed, in 2 files"
