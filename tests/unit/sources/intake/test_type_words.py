"""Forms of days and numbers as a producer's people write them, in both languages."""

from __future__ import annotations

import pytest

from hdh_assets.core.column import Column
from hdh_assets.core.column_types import KINDS
from hdh_assets.core.dialect import _DIRECTIVE, Format
from hdh_assets.sources.intake.row_rules import checks
from hdh_assets.sources.intake.type_words import form_words, type_words
from tests.integration.intake_world import column, dataset


@pytest.mark.parametrize(
    ("form", "english", "french"),
    [
        ("%d/%m/%Y", "dd/mm/yyyy", "jj/mm/aaaa"),
        ("%Y-%m-%dT%H:%M:%SZ", "yyyy-mm-ddThh:mm:ssZ", "aaaa-mm-jjThh:mm:ssZ"),
        ("%-d/%-m/%y", "d/m/yy", "j/m/aa"),
        ("%Y%j", "yyyyddd", "aaaajjj"),
        ("100%% %d %b %Y", "100% dd mmm yyyy", "100% jj mmm aaaa"),
    ],
)
def test_a_form_is_written_for_its_readers(form: str, english: str, french: str) -> None:
    words = form_words(form)
    assert (words.en, words.fr) == (english, french)


def test_every_directive_and_every_type_that_a_descriptor_takes_has_words() -> None:
    directives = [letter for letter in map(chr, range(33, 127)) if _DIRECTIVE.fullmatch(f"%{letter}")]
    assert len(directives) > 15
    for letter in directives:
        words = form_words(f"<%{letter}>")
        assert "%" not in words.fr.replace("<%>", "")
    for kind in KINDS:
        described = Column.model_validate(
            column("C", {"string": "string(9)", "decimal": "decimal(7,2)"}.get(kind, kind))
        )
        assert type_words(described, None, has_comma=False).fr


def test_what_a_rule_of_types_expects_is_told_in_both_languages() -> None:
    table = dataset().tables[1]
    found = checks(table, set(table.by_name), Format(delimiter=";", decimal=",", date="%d/%m/%Y"))
    told = {check.column: (check.expected, check.expected_fr) for check in found if check.rule == "type"}
    assert told["DAY"] == ("date dd/mm/yyyy", "date jj/mm/aaaa")
    assert told["COST"] == ("decimal(7,2) (1,5)", "décimal(7,2) (1,5)")
    assert told["NUM"] == ("integer", "entier")


@pytest.mark.parametrize(
    ("type_", "has_comma", "french"),
    [
        ("timestamp", False, "date et heure au plus à la microseconde, tout fuseau"),
        ("yearmonth", False, "année et mois aaaamm"),
        ("boolean", False, "booléen true, false, 0 ou 1"),
        ("decimal(5,0)", True, "décimal(5,0)"),
        ("decimal(2,2)", True, "décimal(2,2) (0,5)"),
        ("float", True, "nombre (1,5)"),
    ],
)
def test_a_type_without_a_form_says_what_is_taken(type_: str, has_comma: bool, french: str) -> None:
    assert type_words(Column.model_validate(column("C", type_)), None, has_comma=has_comma).fr == french
