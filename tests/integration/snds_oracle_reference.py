"""What the rules make of the beneficiary reference, in plain Python: a second opinion for the tests.

Written from the rules, not from the models, and slow on purpose. Takes rows as the producer writes them, gives the
business columns of OMOP rows. A person is named by the year of birth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from snds_cases import Row

LONG_TERM = ("41", "43", "45")


def day(text: str) -> date | None:
    """A dd/mm/yyyy date; sentinels are missing (rules 15 and 43)."""
    found = datetime.strptime(text, "%d/%m/%Y").date() if text else None
    return None if found is None or found.year in {1, 1600, 2099, 2999} else found


def is_genuine(nature: str) -> bool:
    """Rule 14."""
    return nature in {"00", "03", "04"}


class Reference:
    """Rules 10 to 18, 40 and 41: who the keys are."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self.illnesses = tables["IR_IMB_R"]
        self.delivered = tables["IR_BEN_R"] + tables["IR_BEN_R_ARC"]
        self.rows = [row for row in self.delivered if is_genuine(row["BEN_CDI_NIR"])]
        self.dropped: Counter[str] = Counter({"14": len(self.delivered) - len(self.rows)})
        groups = [rows for rows in self._groups() if any(self._birth(row) for row in rows)]
        self.dropped["15"] = len(self.rows) - sum(map(len, groups))
        self.persons = {next(filter(None, map(self._birth, self._by_preference(rows)))): rows for rows in groups}
        self.person_of = {self._key(row): year for year, rows in self.persons.items() for row in rows}

    @staticmethod
    def _birth(row: Row) -> int | None:
        year = int(row["BEN_NAI_ANN"] or 0)
        return year if year > 1600 else None

    @staticmethod
    def _key(row: Row) -> tuple[str, str]:
        return row["BEN_NIR_PSA"], row["BEN_RNG_GEM"]

    def _groups(self) -> Iterable[list[Row]]:
        """Rows that share a key or an own number, directly or through others, are one person's."""
        groups: list[tuple[set[Any], list[Row]]] = []
        for row in self.rows:
            rebuilt = row["BEN_NIR_ANO"] or row["BEN_NIR_PSA"] + row["BEN_RNG_GEM"]
            marks = {self._key(row), row.get("BEN_IDT_ANO") or rebuilt, rebuilt}
            meeting = [group for group in groups if group[0] & marks]
            groups = [group for group in groups if not group[0] & marks]
            groups.append((marks.union(*(g[0] for g in meeting)), [row, *(r for g in meeting for r in g[1])]))
        return [rows for _, rows in groups]

    @staticmethod
    def _by_preference(rows: list[Row]) -> list[Row]:
        def rank(row: Row) -> tuple[date, date]:
            return day(row["MAX_TRT_DTD"]) or date.min, day(row["BEN_DTE_MAJ"]) or date.min

        return sorted(rows, key=rank, reverse=True)

    def death(self, year: int) -> date | None:
        rows = self.persons[year]
        if days := [found for row in rows if (found := day(row["BEN_DCD_DTE"]))]:
            return max(days)
        months = [row["BEN_DCD_AME"] for row in rows if row["BEN_DCD_AME"] not in {"", "160001"}]
        if not months:
            return None
        first = datetime.strptime(max(months), "%Y%m").date()
        return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)

    def person_rows(self) -> Iterator[tuple[Any, ...]]:
        for year, rows in self.persons.items():
            preferred = self._by_preference(rows)
            sex = next((row["BEN_SEX_COD"] for row in preferred if row["BEN_SEX_COD"] in {"1", "2"}), "9")
            gender = {"1": 8507, "2": 8532}.get(sex, 0)
            place = residence(preferred[0])
            yield year, int(preferred[0]["BEN_NAI_MOI"]), gender, sex, place, self.death(year)

    @cached_property
    def conditions(self) -> list[tuple[Any, ...]]:
        return list(self._condition_rows())

    def _condition_rows(self) -> Iterator[tuple[Any, ...]]:
        lineages: dict[tuple[int, str], list[tuple[date, date | None]]] = defaultdict(list)
        for row in self.illnesses:
            start, code = day(row["IMB_ALD_DTD"]) or day(row["INS_DTE"]), row["MED_MTF_COD"].strip()
            if row["IMB_ETM_NAT"] not in LONG_TERM or not code or start is None:
                self.dropped["40"] += 1
            elif self._key(row) not in self.person_of:
                self.dropped["17"] += 1
            else:
                lineages[self.person_of[self._key(row)], code].append((start, day(row["IMB_ALD_DTF"])))
        for (year, code), spells in lineages.items():
            start, ends = min(s for s, _ in spells), [e for _, e in spells]
            end = None if None in ends else max(e for e in ends if e)
            closing = [found for found in (end, self.death(year)) if found]
            yield year, code, start, max(start, min(closing)) if closing else None


def residence(row: Row) -> str | None:
    """Rule 16, for the places the cases have."""
    department, commune, fund = row["BEN_RES_DPT"], row["BEN_RES_COM"], row["ORG_AFF_BEN"]
    if department in {"000", "099", "999"}:
        return None
    if department == "201" or (department == "209" and fund[3:] == "201"):
        place = "2A"
    elif department == "209":
        place = "2B"
    elif department == "097" or (department.startswith("97") and fund.startswith("02A")):
        return "97" + commune
    elif department.startswith("97"):
        return department + commune[1:]
    else:
        place = department[1:]
    return place if commune in {"000", "099", "999"} else place + commune
