"""What the rules make of DCIR lines, in plain Python: a second opinion for the tests.

Written from the rules, not from the models, and slow on purpose. Takes rows as the producer writes them, gives the
business columns of OMOP rows. A person is named by the year of birth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from snds_cases import Cases, Row
from snds_oracle_reference import Reference, day, is_genuine

KEYS = (
    "DCT_ORD_NUM",
    "FLX_DIS_DTD",
    "FLX_EMT_NUM",
    "FLX_EMT_ORD",
    "FLX_EMT_TYP",
    "FLX_TRT_DTD",
    "ORG_CLE_NUM",
    "PRS_ORD_NUM",
    "REM_TYP_AFF",
)
REFINED = ("ER_PHA_F", "ER_UCD_F", "ER_CAM_F", "ER_BIO_F", "ER_TIP_F")
VISITS = {"1111": 9202, "1192": 5083, "1130": 0, "3313": 581458, "3317": 581458, "3211": 32036}
UNITS = {"3400921923056": 28, "3400922143378": 20, "3400922178967": 21, "3400935418487": 30}
MONEY = ("PRS_PAI_MNT", "BSE_REM_MNT", "CPL_REM_MNT")
OWED = {"16", "24"}
"""Complements that are taken from what the patient is reimbursed (CPL_AFF_COD)."""
DESCRIBED = ("modifier", "start_of_device", "end_of_device", "provider", "prescriber", "plan")
Event = dict[str, Any]


def amount(text: str) -> Decimal:
    """A number; nothing is zero."""
    return Decimal(text or "0")


class Dcir:
    """Rules 1 to 9, 35 to 39, 43, 44 and 47: what the lines of all fluxes come to."""

    def __init__(self, cases: Cases, reference: Reference) -> None:
        self.reference, self.dropped = reference, Counter[str]()
        self.tables: dict[str, list[Row]] = defaultdict(list)
        for flux in cases.fluxes.values():
            for table, rows in flux.items():
                self.tables[table] += rows
        self.refined: dict[tuple[str, ...], list[tuple[str, Row]]] = defaultdict(list)
        for table in REFINED:
            for row in self.tables[table]:
                self.refined[_nine(row)].append((table, row))
        self.places = {_nine(row): row for row in self.tables["ER_ETE_F"]}
        self.entries = list(self._entries())

    def _entries(self) -> Iterator[Event]:
        """One entry per kept line and per refined row of an act: who, when, what, how many, how much."""
        for row in self.tables["ER_PRS_F"]:
            refined, place = self.refined[_nine(row)], self.places.get(_nine(row), {})
            start = day(row["EXE_SOI_DTD"])
            if start is None and any(table in {"ER_PHA_F", "ER_UCD_F"} for table, _ in refined):
                start = day(row["PRE_PRE_DTD"])
            rule = _line_rule(row, place, start)
            coded = list(self._coded(row, refined))
            if rule or start is None:
                self.dropped[rule] += 1
                continue
            person = self.reference.person_of.get((row["BEN_NIR_PSA"], row["BEN_RNG_GEM"]))
            if person is None:
                self.dropped["17"] += 1
                continue
            common = _common(row, place, person, start)
            yield common | {"code": row["PRS_NAT_REF"], "is_unrefined": not refined}
            if common["kind"] == "prs":
                for code in coded:
                    yield common | dict.fromkeys(MONEY, Decimal(0)) | code

    def _coded(self, line: Row, refined: list[tuple[str, Row]]) -> Iterator[Event]:
        for table, row in refined:
            found = READERS[table](line, row)
            if "rule" in found or found.get("quantity") == 0:
                self.dropped[found.get("rule", "4")] += 1
            else:
                yield {"kind": table, "is_anaesthesia": False} | found

    @cached_property
    def events(self) -> list[Event]:
        """Rule 4: what is left once quantities are netted."""
        groups: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
        for entry in self.entries:
            groups[
                entry["person"],
                entry["kind"],
                entry["start"],
                entry["code"],
                entry.get("is_anaesthesia"),
                *entry["net"],
            ].append(entry)
        settled = [event for entries in groups.values() for event in _settle(entries)]
        self.dropped["4"] += sum(event["quantity"] < 0 or _is_money_alone(event) for event in settled)
        kept = [event for event in settled if event["quantity"] > 0]
        acts = {
            (e["person"], e["start"], e["code"]) for e in kept if e["kind"] == "ER_CAM_F" and not e["is_anaesthesia"]
        }
        return [e for e in kept if not e.get("is_anaesthesia") or (e["person"], e["start"], e["code"]) not in acts]

    def of_kind(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["kind"] == kind]

    @cached_property
    def visits(self) -> dict[tuple[Any, ...], Event]:
        """One visit per person, contact and nature, of what is no lump sum."""
        contacts = [e for e in self.of_kind("prs") if VISITS.get(e["nature"], 9202)]
        return {(e["person"], e["contact"], e["nature"]): e for e in contacts}

    def visit_rows(self) -> Iterator[tuple[Any, ...]]:
        for event in self.visits.values():
            concept = VISITS.get(event["nature"], 9202)
            kind = 32869 if concept == 581458 else 32810
            yield (
                event["person"],
                event["start"],
                event["end"],
                concept,
                kind,
                event["nature"],
                event["place"],
                event["provider"],
            )

    @cached_property
    def spans(self) -> dict[int, list[date]]:
        """Days of each person's events, visits to their end."""
        found: dict[int, list[date]] = defaultdict(list)
        for event in self.visits.values():
            found[event["person"]] += [event["start"], event["end"]]
        for table in REFINED:
            for event in self.of_kind(table):
                found[event["person"]].append(_start_of_device(event) if table == "ER_TIP_F" else event["start"])
        for year, _, start, _ in self.reference.conditions:
            found[year].append(start)
        return found

    def period_rows(self) -> Iterator[tuple[Any, ...]]:
        for year, days in self.spans.items():
            yield year, min(days), max(days), 32881

    @cached_property
    def costs(self) -> list[tuple[Any, ...]]:
        return list(self._cost_rows())

    def _cost_rows(self) -> Iterator[tuple[Any, ...]]:
        """Money by person, day and nature; what was billed on a day without a contact is dropped (rule 3)."""
        contacts = {(event["person"], event["start"]) for event in self.visits.values()}
        sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for event in self.of_kind("prs") + self.of_kind("cpl") + self.of_kind("owe"):
            if (event["person"], event["start"]) not in contacts:
                self.dropped["3"] += 1
                continue
            total = sums[event["person"], event["start"], event["nature"]]
            sums[event["person"], event["start"], event["nature"]] = [
                a + event[name] for a, name in zip(total, MONEY, strict=True)
            ]
        for key, (charge, basic, supplement) in sums.items():
            paid = basic + supplement
            yield *key, float(charge), float(charge), float(paid), None, float(charge - paid)

    def drug_rows(self) -> Iterator[tuple[Any, ...]]:
        for e in self.of_kind("ER_PHA_F") + self.of_kind("ER_UCD_F"):
            end = e["start"] + timedelta(days=29)
            yield e["person"], e["start"], end, e["code"], float(e["quantity"]), 30, 32869, e["prescriber"]

    def procedure_rows(self) -> Iterator[tuple[Any, ...]]:
        for e in self.of_kind("ER_CAM_F"):
            yield e["person"], e["start"], e["end"], e["code"], int(e["quantity"]), e["modifier"], 32810, e["provider"]
        for e in self.of_kind("prs"):
            if e["nature"] in {"3111", "1352"} and e["unrefined"] > 0:
                quantity = int(min(e["quantity"], e["unrefined"]))
                yield e["person"], e["start"], e["end"], e["nature"], quantity, None, 32810, e["provider"]

    def observation_rows(self) -> Iterator[tuple[Any, ...]]:
        for e in self.of_kind("prs"):
            if e["nature"] == "4212" and e["unrefined"] > 0:
                yield e["person"], e["start"], "4212", float(min(e["quantity"], e["unrefined"])), 32810

    def measurement_rows(self) -> Iterator[tuple[Any, ...]]:
        for e in self.of_kind("ER_BIO_F"):
            yield e["person"], e["start"], e["code"], None, 32810, e["provider"]

    def device_rows(self) -> Iterator[tuple[Any, ...]]:
        for e in self.of_kind("ER_TIP_F"):
            start = _start_of_device(e)
            end = e["end_of_device"] if e["end_of_device"] and e["end_of_device"] >= start else None
            yield e["person"], start, end, e["code"], int(e["quantity"]), 32810

    def payer_rows(self) -> Iterator[tuple[Any, ...]]:
        """Contiguous years under one payer and plan are one period."""
        days: dict[tuple[Any, ...], set[date]] = defaultdict(set)
        for e in self.of_kind("prs"):
            if e["net"][2]:
                days[e["person"], e["net"][2][:3], e["plan"]].add(e["start"])
        for key, found in days.items():
            yield *key, min(found), max(found)


def _nine(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in KEYS)


def _line_rule(row: Row, place: Row, start: date | None) -> str:
    if {"71", "72"} & {row["DPN_QLF"], row["PRS_DPN_QLP"]}:
        return "1"
    if place.get("ETE_IND_TAA") == "1":
        return "2"
    if row["BEN_CDI_NIR"] and not is_genuine(row["BEN_CDI_NIR"]):
        return "14"
    return "43" if start is None else ""


def _practice(number: str, specialty: str, activity: str) -> str | None:
    """Rule 44."""
    if number == "00000000":
        return None
    if specialty not in {"0", "99"}:
        return specialty
    return activity if activity not in {"0", "99"} else None


def _common(row: Row, place: Row, person: int, start: date) -> Event:
    end = max(start, day(row["EXE_SOI_DTF"]) or start)
    finess = next((f for f in (place.get("ETB_EXE_FIN", ""), row["ETB_PRE_FIN"]) if f.strip("0")), None)
    plan = "AME" if row["BEN_CMU_CAT"] == "5" else None
    if plan is None and (row["BEN_CMU_TOP"] == "1" or row["BEN_CTA_TYP"] == "89"):
        plan = "C2S"
    kind = "prs"
    if row["CPL_MAJ_TOP"] == "2":
        kind = "owe" if row.get("CPL_AFF_COD") in OWED else "cpl"
    net = ("BEN_RES_DPT", "BEN_RES_COM", "ORG_AFF_BEN", "PSE_SPE_COD", "PSP_SPE_COD")
    reason = "" if kind == "prs" else row.get("CPL_AFF_COD", "")
    return {
        "person": person,
        "kind": kind,
        "start": start,
        "end": end,
        "nature": row["PRS_NAT_REF"],
        "net": (*(row[name] for name in net), reason),
        "contact": (start, end, finess or "0", row["PFS_EXE_NUM"], row["PFS_PRE_NUM"], row["ORG_CLE_NEW"]),
        "place": finess,
        "plan": plan,
        "provider": _practice(row["PFS_EXE_NUM"], row["PSE_SPE_COD"], row["PSE_ACT_NAT"]),
        "prescriber": _practice(row["PFS_PRE_NUM"], row["PSP_SPE_COD"], row["PSP_ACT_NAT"]),
        "quantity": amount(row["PRS_ACT_QTE"]),
        **{name: amount(row[name]) for name in MONEY},
    }


def _settle(entries: list[Event]) -> list[Event]:
    """The events a netting group comes to: one, unless its prestations were several contacts and all of them stand."""
    contacts: dict[Any, list[Event]] = defaultdict(list)
    for entry in entries:
        contacts[entry["contact"], entry["nature"]].append(entry)
    sums = [_sum(found) for found in contacts.values()]
    left = [e for e in sums if e["quantity"] or e["kind"] in {"cpl", "owe"} or any(e[name] for name in MONEY)]
    corrects = (_signed(e)["quantity"] < 0 or (e["kind"] == "prs" and not e["quantity"]) for e in left)
    is_whole = entries[0]["kind"] not in {"prs", "cpl", "owe"} or any(corrects)
    if is_whole and len(left) > 1:
        left.sort(key=lambda event: event["quantity"])
        left = [left[-1] | _sum(entries) | {name: left[-1][name] for name in ("contact", "nature", "place", "end")}]
    return [_signed(event) for event in left]


def _sum(entries: list[Event]) -> Event:
    sums = {name: sum((entry[name] for entry in entries), Decimal(0)) for name in ("quantity", *MONEY)}
    unrefined = sum((entry["quantity"] for entry in entries if entry.get("is_unrefined")), Decimal(0))
    return entries[0] | sums | {"unrefined": unrefined} | _standing(entries)


def _standing(entries: list[Event]) -> Event:
    """What describes them: of the descriptions whose lines were not all taken back, the greatest of each."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for entry in entries:
        counts[tuple(entry.get(name) for name in DESCRIBED)] += entry["quantity"]
    standing = [description for description, quantity in counts.items() if quantity > 0]
    columns = zip(DESCRIBED, zip(*standing, strict=True), strict=False) if standing else ()
    return dict.fromkeys(DESCRIBED) | {name: max(filter(None, values), default=None) for name, values in columns}


def _signed(event: Event) -> Event:
    """A complement may have no quantity: its money tells whether it was given or taken back (rule 3)."""
    if event["kind"] not in {"cpl", "owe"} or event["quantity"]:
        return event
    first = ("PRS_PAI_MNT", "CPL_REM_MNT", "BSE_REM_MNT") if event["kind"] == "cpl" else ("CPL_REM_MNT", "BSE_REM_MNT")
    money = next((event[name] for name in (*first, "PRS_PAI_MNT") if event[name]), Decimal(0))
    sign = (money > 0) - (money < 0)
    return event | {"quantity": Decimal(-sign if event["kind"] == "owe" else sign)}


def _is_money_alone(event: Event) -> bool:
    """What acts cost that net to none."""
    return event["kind"] == "prs" and not event["quantity"] and any(event[name] for name in MONEY)


def _drug(line: Row, row: Row) -> Event:
    """Rules 35 to 37."""
    code = next((c for c in (row["PHA_PRS_C13"].lstrip("0"), row["PHA_PRS_IDE"].lstrip("0")) if c), "")
    if not code:
        return {"rule": "35"}
    if len(code) == 7:
        digits = "34009" + code
        weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
        code = digits + str(-weighted % 10)
    if row["PHA_DEC_TOP"] in {"1", "D"}:
        return {"code": code, "quantity": amount(row["PHA_DEC_QSU"])}
    return {"code": code, "quantity": amount(row["PHA_ACT_QSN"]) * UNITS.get(code, 1)}


def _hospital_drug(line: Row, row: Row) -> Event:
    """Rule 5."""
    if not row["UCD_UCD_COD"].strip("0"):
        return {"rule": "35"}
    sign = -1 if amount(line["PRS_ACT_QTE"]) < 0 else 1
    return {"code": row["UCD_UCD_COD"].zfill(13), "quantity": sign * amount(row["UCD_DLV_NBR"])}


def _act(line: Row, row: Row) -> Event:
    """Rules 6 and 28."""
    if row["CAM_TRT_PHA"] not in {"", "0", "1"}:
        return {"rule": "28"}
    is_anaesthesia = row["CAM_ACT_COD"] == "4"
    return {"code": row["CAM_PRS_IDE"], "modifier": row["CAM_MOD_COD"] or None, "is_anaesthesia": is_anaesthesia}


def _test(line: Row, row: Row) -> Event:
    """Rule 39."""
    return {"code": row["BIO_PRS_IDE"].zfill(4), "quantity": amount(row["BIO_ACT_QSN"])}


def _device(line: Row, row: Row) -> Event:
    """Rule 38."""
    if row["TIP_PRS_IDE"] == "9" * 13:
        return {"rule": "38"}
    return {
        "code": row["TIP_PRS_IDE"].zfill(13),
        "quantity": amount(row["TIP_ACT_QSN"]),
        "start_of_device": day(row["TIP_ACL_DTD"]),
        "end_of_device": None if row["TIP_PRS_TYP"] == "1" else day(row["TIP_ACL_DTF"]),
    }


def _start_of_device(event: Event) -> date:
    """The day it was bought or first rented, or else that of the care."""
    start: date = event["start_of_device"] or event["start"]
    return start


READERS = {"ER_PHA_F": _drug, "ER_UCD_F": _hospital_drug, "ER_CAM_F": _act, "ER_BIO_F": _test, "ER_TIP_F": _device}
