"""SNDS deliveries full of what goes wrong in real ones: seeded, small, in the producer's layout.

Every case comes several times: cancellations in later fluxes under other keys, orphan negatives, complements, lines for
information, public stays, twins, ranks that change, several pseudonyms per person, sentinels, opened boxes. A person is
recognised by the year of birth, which each has alone. What distinguishes contacts visibly (establishment, end) is a
function of the person, day and nature, so that the expected rows never depend on how a tie is settled.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

Row = dict[str, str]
FLUXES = ("2024-02", "2024-03", "2024-04")
PACKED, UNPACKED = ("3400921923056", "3400922143378", "3400922178967"), ("3400935418487", "3541848", "0000003541848")
PLACES = (
    ("075", "101", "01C751"),
    ("001", "053", "01C011"),
    ("097", "411", "01C974"),
    ("974", "411", "02A974"),
    ("971", "005", "03A971"),
    ("209", "004", "01C201"),
    ("209", "033", "01C202"),
    ("201", "004", "01C201"),
    ("075", "999", "01C751"),
    ("099", "101", "01M751"),
)
OPEN = ("31/12/2099", "31/12/2999")
"""Ends that mean none."""

_NATURES = {
    "consultation": "1111",
    "remote": "1192",
    "lump": "1130",
    "drug": "3313",
    "ucd": "3317",
    "act": "1352",
    "test": "3211",
    "device": "3511",
    "nurse": "3111",
    "transport": "4212",
    "stranger": "9999",
}
# specialty and activity of the provider, then of the prescriber
_PRACTICES = (("1", "0", "1", "0"), ("0", "24", "22", "0"), ("99", "26", "0", "0"), ("3", "0", "99", "30"))


@dataclass
class Cases:
    """Rows by table: of the beneficiaries' delivery, and of each flux."""

    beneficiaries: dict[str, list[Row]] = field(
        default_factory=lambda: {"IR_BEN_R": [], "IR_BEN_R_ARC": [], "IR_IMB_R": []}
    )
    fluxes: dict[str, dict[str, list[Row]]] = field(default_factory=lambda: {flux: {} for flux in FLUXES})
    keys: list[tuple[str, str]] = field(default_factory=list)
    """The keys that care is billed under."""

    def put(self, flux: str, table: str, row: Row) -> None:
        self.fluxes[flux].setdefault(table, []).append(row)


def make_cases(seed: int, *, persons: int = 70, lines: int = 900) -> Cases:
    """The deliveries of a seed."""
    chance = random.Random(seed)
    cases = Cases()
    for number in range(persons):
        _add_person(cases, number, chance)
    _add_illnesses(cases, chance)
    writer = _Writer(cases, chance)
    for _ in range(lines):
        writer.bill()
    for number, (psa, rank) in enumerate(list(cases.keys)):
        writer.correct(psa, rank, date(2023, 10, 1) + timedelta(days=number))
    return cases


def _beneficiary(number: int, place: int, **changes: str) -> Row:
    department, commune, fund = PLACES[place % len(PLACES)]
    return {
        "BEN_NIR_PSA": f"PSA{number:014d}",
        "BEN_RNG_GEM": "1",
        "BEN_NIR_ANO": f"ANO{number:014d}",
        "BEN_CDI_NIR": "00",
        "BEN_NAI_ANN": str(1925 + number),
        "BEN_NAI_MOI": f"{1 + number % 12:02d}",
        "BEN_SEX_COD": "12"[number % 2],
        "BEN_DCD_DTE": "01/01/1600",
        "BEN_DCD_AME": "160001",
        "BEN_RES_DPT": department,
        "BEN_RES_COM": commune,
        "ORG_AFF_BEN": fund,
        "MAX_TRT_DTD": "01/03/2024",
        "BEN_DTE_MAJ": "01/03/2024",
    } | changes


def _add_person(cases: Cases, number: int, chance: random.Random) -> None:
    """One person, or two twins; the kind of case goes round."""
    own = f"ANO{number:014d}"
    usual = _beneficiary(number, number)
    second = usual | {"BEN_NIR_PSA": f"PSB{number:014d}"}
    table, archive = cases.beneficiaries["IR_BEN_R"], cases.beneficiaries["IR_BEN_R_ARC"]
    match number % 14:
        case 0:  # two insured persons open the rights; the latest care tells where the person lives
            elsewhere = _beneficiary(number, number + 1, BEN_NIR_PSA=second["BEN_NIR_PSA"], MAX_TRT_DTD="02/03/2024")
            table += [usual, elsewhere]
        case 1:  # twins, told apart by rank alone
            twin = usual | {"BEN_NIR_ANO": "", "BEN_RNG_GEM": "2", "BEN_NAI_ANN": str(1825 + number)}
            table += [usual | {"BEN_NIR_ANO": ""}, twin]
        case 2:
            table.append(usual | {"BEN_CDI_NIR": chance.choice(("01", "05", "99", ""))})
        case 3:
            table.append(usual | {"BEN_NAI_ANN": chance.choice(("1600", "0001", ""))})
        case 4:  # a family order that changed
            table += [usual, usual | {"BEN_RNG_GEM": "2", "MAX_TRT_DTD": "01/01/1600"}]
        case 5:  # the birth year on one row, the death on another
            table += [usual | {"BEN_NAI_ANN": "1600", "MAX_TRT_DTD": ""}, second | {"BEN_DCD_DTE": "11/03/2024"}]
        case 6:
            archive.append(usual | {"BEN_CDI_NIR": "04"})
        case 7:  # re-keyed: the archive knows the key under the former pseudonym
            archive.append(usual | {"BEN_NIR_ANO": f"OLD{number:014d}"})
            table += [usual, second]
        case 8:  # the key of the person delivered in its own column
            table += [usual | {"BEN_IDT_ANO": own, "BEN_IDT_TOP": "1"}]
            table += [second | {"BEN_NIR_ANO": "", "BEN_IDT_ANO": own, "BEN_IDT_TOP": "1"}]
        case 9:
            rebuilt = usual["BEN_NIR_PSA"] + "1"
            table.append(usual | {"BEN_NIR_ANO": "", "BEN_IDT_ANO": rebuilt, "BEN_IDT_TOP": "0", "BEN_SEX_COD": "9"})
        case 10:
            table.append(usual | {"BEN_DCD_AME": "202402", "BEN_CDI_NIR": "03"})
        case 11:
            table.append(usual | {"BEN_DCD_DTE": "20/02/2024", "BEN_DCD_AME": "202402"})
        case _:
            table.append(usual)
    cases.keys += sorted({(row["BEN_NIR_PSA"], row["BEN_RNG_GEM"]) for row in table + archive} - set(cases.keys))


def _add_illnesses(cases: Cases, chance: random.Random) -> None:
    """Renewals, open ends, other exemptions, a first day that is missing, keys nobody knows."""
    for psa, rank in [*cases.keys, ("PSX00000000000000", "1")]:
        for _ in range(chance.randrange(4)):
            start = chance.choice(("01/05/2015", "01/05/2018", "10/02/2024", "01/01/1600"))
            cases.beneficiaries["IR_IMB_R"].append(
                {
                    "BEN_NIR_PSA": psa,
                    "BEN_RNG_GEM": rank,
                    "IMB_ALD_DTD": start,
                    "IMB_ALD_DTF": chance.choice(
                        ("01/01/1600", OPEN[_number(psa) % 2], "30/04/2020", "30/04/2025", "01/01/2014")
                    ),
                    "IMB_ALD_NUM": chance.choice(("8", "0")),
                    "IMB_ETM_NAT": chance.choice(("41", "41", "43", "45", "13", "11", "")),
                    "MED_MTF_COD": chance.choice(("E11", " E11 ", "C50", "")),
                    "MED_NCL_IDT": "CIM10",
                    "INS_DTE": chance.choice(("01/06/2018", "01/01/1600")),
                }
            )


class _Writer:
    """Bills care line by line; each line has nine keys of its own."""

    def __init__(self, cases: Cases, chance: random.Random) -> None:
        self.cases, self.chance, self.count = cases, chance, 0

    def bill(self) -> None:
        """One line, and what may follow it: a complement, a cancellation, a correction."""
        chance, flux = self.chance, self.chance.randrange(len(FLUXES))
        kind = chance.choice(list(_NATURES))
        line = self._line(kind)
        refined = self._refined(kind, line)
        place = self._establishment(line)
        if chance.random() < 0.06:  # a cancellation of nothing
            line, refined = _reversed(line, refined)
        self._write(flux, line, refined, place)
        if chance.random() < 0.15:
            more = {"CPL_MAJ_TOP": "2", "PRS_ACT_QTE": chance.choice(("0", "1", "")), "BSE_REM_MNT": "0"}
            given = {"CPL_AFF_COD": "1", "PRS_PAI_MNT": "3.50", "CPL_REM_MNT": "2.10"}
            taken = {"CPL_AFF_COD": chance.choice(("1", "10")), "PRS_PAI_MNT": "-1.50", "CPL_REM_MNT": "-1.10"}
            owed = {"CPL_AFF_COD": chance.choice(("16", "24")), "PRS_PAI_MNT": "0", "CPL_REM_MNT": "-1.00"}
            for amounts in chance.choice(((given,), (owed,), (given, taken), (owed, given))):
                self._write(flux, line | more | amounts, [], place)
        if chance.random() < 0.3:
            later = chance.randrange(flux, len(FLUXES))
            named = line["PFS_EXE_NUM"] != "00000000"
            otherwise = chance.choice(({}, {}, {"ORG_CLE_NEW": "01C999"}, {"PFS_EXE_NUM": "77777777"} if named else {}))
            negative, taken_back = _reversed(line, refined)
            self._write(later, negative | otherwise, taken_back, place)
            if chance.random() < 0.5:
                again = [(table, row | _corrected(table)) for table, row in refined]
                self._write(later, line | ({"PFS_EXE_NUM": "66666666"} if named else {}), again, place)

    def correct(self, psa: str, rank: str, care: date) -> None:
        """On a day of its own, a reimbursement corrected alone: of nothing, of an act, of one that was taken back."""
        day = {"EXE_SOI_DTD": f"{care:%d/%m/%Y}", "EXE_SOI_DTF": "", "PRS_DPN_QLP": "0", "DPN_QLF": "0"}
        line = self._line("consultation") | {"BEN_NIR_PSA": psa, "BEN_RNG_GEM": rank, "CPL_MAJ_TOP": "0"} | day
        line |= {"BEN_CDI_NIR": "00", "ORG_AFF_BEN": PLACES[_number(psa[3:]) % len(PLACES)][2]}
        nothing = {"PRS_ACT_QTE": "0", "PRS_PAI_MNT": "0", "BSE_REM_BSE": "0", "BSE_REM_MNT": "0"}
        self._write(2, line | nothing | {"BSE_REM_MNT": "3.50", "ORG_CLE_NEW": "01C999"}, [], None)
        if care.day % 3:
            self._write(0, line, [], None)
            even = {"CPL_MAJ_TOP": "2", "CPL_AFF_COD": "10", "PRS_PAI_MNT": "5", "CPL_REM_MNT": "-5"}
            owed = {"CPL_MAJ_TOP": "2", "CPL_AFF_COD": "16", "PRS_PAI_MNT": "1", "CPL_REM_MNT": "-1"}
            self._write(1, line | nothing | even, [], None)
            self._write(1, line | nothing | owed, [], None)
        if care.day % 3 == 2:
            self._write(1, _reversed(line, [])[0], [], None)

    def _line(self, kind: str) -> Row:
        chance = self.chance
        psa, rank = chance.choice([*self.cases.keys, ("PSX00000000000000", "1")])
        day = f"{chance.choice((3, 4, 28)):02d}/{chance.choice((1, 2)):02d}/2024" if chance.random() < 0.95 else ""
        person = psa[3:]
        again = _number(person, day, kind)
        practice = again % len(_PRACTICES)
        provider, activity, prescriber, its_activity = _PRACTICES[practice]
        quantity = chance.choice(("1", "1", "2", "3"))
        department, commune, fund = PLACES[_number(person) % len(PLACES)]
        return {
            "BEN_NIR_PSA": psa,
            "BEN_RNG_GEM": rank,
            "BEN_CDI_NIR": chance.choice(("00",) * 20 + ("", "08")),
            "BEN_RES_DPT": department,
            "BEN_RES_COM": commune if chance.random() < 0.9 else "000",
            "ORG_AFF_BEN": fund if chance.random() < 0.95 else "",
            "ORG_CLE_NEW": "01C751",
            "BEN_CMU_TOP": "01"[_number(person, "cover") % 2],
            "BEN_CTA_TYP": ("0", "89", "14")[_number(person, "contract") % 3],
            "BEN_CMU_CAT": ("0", "5")[_number(person, "aid") % 5 == 0],
            "EXE_SOI_DTD": day or chance.choice(("", "01/01/1600")),
            "EXE_SOI_DTF": (day, ("", *OPEN)[again // 3 % 3], "05/03/2024")[again % 3] if day else "",
            "PRE_PRE_DTD": ("02/01/2024", "01/01/1600")[again % 2],
            "PRS_NAT_REF": _NATURES[kind],
            "CPL_MAJ_TOP": chance.choice(("0", "0", "1", "")),
            "DPN_QLF": chance.choice(("0",) * 20 + ("", "71", "72", "14")),
            "PRS_DPN_QLP": chance.choice(("0",) * 20 + ("", "71", "72")),
            "PRS_ACT_QTE": quantity,
            "PRS_PAI_MNT": f"{25 * int(quantity)}.50",
            "BSE_REM_BSE": f"{25 * int(quantity)}",
            "BSE_REM_MNT": f"{17 * int(quantity)}.50",
            "CPL_REM_MNT": "0",
            "PFS_EXE_NUM": "00000000" if practice == 3 else f"{10000000 + chance.randrange(2)}",
            "PFS_PRE_NUM": "00000000" if practice == 2 else "22222222",
            "PSE_SPE_COD": provider,
            "PSE_ACT_NAT": activity,
            "PSP_SPE_COD": prescriber,
            "PSP_ACT_NAT": its_activity,
            "ETB_PRE_FIN": ("", "00000000", "01078001", "97040002")[again % 4],
        }

    def _refined(self, kind: str, line: Row) -> list[tuple[str, Row]]:
        chance, quantity = self.chance, line["PRS_ACT_QTE"]
        if chance.random() < 0.03:
            return []
        match kind:
            case "drug":
                code = chance.choice((*PACKED, *UNPACKED, "0"))
                seven = chance.choice(("3541848", "0", "")) if code == "0" else ""
                opened = {"PHA_DEC_TOP": chance.choice(("0", "0", "1", "D", "Z")), "PHA_DEC_QSU": "5"}
                return [("ER_PHA_F", {"PHA_PRS_C13": code, "PHA_PRS_IDE": seven, "PHA_ACT_QSN": quantity} | opened)]
            case "ucd":
                code = chance.choice(("0000009197702", "9197702", "0"))
                return [("ER_UCD_F", {"UCD_UCD_COD": code, "UCD_DLV_NBR": quantity})]
            case "act":
                acts = chance.choice((("1",), ("1",), ("4",), ("1", "4")))
                code = chance.choice(("ABCD001", "ABCD002"))
                phase = chance.choice(("0", "0", "1", "2", ""))
                row = {"CAM_PRS_IDE": code, "CAM_TRT_PHA": phase, "CAM_MOD_COD": "AB" if code == "ABCD001" else ""}
                return [("ER_CAM_F", row | {"CAM_ACT_COD": activity}) for activity in acts]
            case "test":
                codes = chance.sample(("552", "0552", "1208", "0127"), chance.randrange(1, 4))
                return [("ER_BIO_F", {"BIO_PRS_IDE": code, "BIO_ACT_QSN": quantity}) for code in codes]
            case "device":
                code = chance.choice(("1234567", "0000001234567", "9999999999999"))
                again = _number(line["BEN_NIR_PSA"][3:], line["EXE_SOI_DTD"])
                terms = {
                    "TIP_PRS_TYP": "12"[again % 2],
                    "TIP_ACL_DTD": ("", "01/01/1600", "28/12/2023", "03/05/2024")[again // 4 % 4],
                    "TIP_ACL_DTF": ("01/06/2024", "", OPEN[0], OPEN[1])[again // 2 % 4],
                }
                return [("ER_TIP_F", {"TIP_PRS_IDE": code, "TIP_ACT_QSN": quantity} | terms)]
        return []

    def _establishment(self, line: Row) -> Row | None:
        day = line["EXE_SOI_DTD"].replace("01/01/1600", "")
        again = _number(line["BEN_NIR_PSA"][3:], day, line["PRS_NAT_REF"], "establishment")
        if again % 4:
            return None
        payment = self.chance.choice(("0", "2", "")) if again % 3 else "1"
        return {"ETB_EXE_FIN": "75000003", "ETE_IND_TAA": payment}

    def _write(self, flux: int, line: Row, refined: list[tuple[str, Row]], place: Row | None) -> None:
        self.count += 1
        period = FLUXES[flux]
        keys = {
            "DCT_ORD_NUM": str(self.count),
            "FLX_DIS_DTD": f"01/{period[5:]}/2024",
            "FLX_EMT_NUM": "1",
            "FLX_EMT_ORD": str(self.chance.randrange(3)),
            "FLX_EMT_TYP": "1",
            "FLX_TRT_DTD": f"10/{period[5:]}/2024",
            "ORG_CLE_NUM": self.chance.choice(("01C751", "01C752")),
            "PRS_ORD_NUM": "1",
            "REM_TYP_AFF": "0",
        }
        self.cases.put(period, "ER_PRS_F", keys | line)
        if place is not None:
            self.cases.put(period, "ER_ETE_F", keys | place)
        for table, row in refined:
            self.cases.put(period, table, keys | row)


def _number(*parts: str) -> int:
    """A number that depends on the texts alone."""
    return random.Random("|".join(parts)).randrange(1 << 30)


def _reversed(line: Row, refined: list[tuple[str, Row]]) -> tuple[Row, list[tuple[str, Row]]]:
    """The line that takes it back; hospital drugs keep their sign, the prestation has it."""
    signed = ("_QTE", "_MNT", "_BSE", "_QSN", "_QSU")

    def negated(row: Row) -> Row:
        return {name: _negated(value) if name.endswith(signed) else value for name, value in row.items()}

    return negated(line), [(table, negated(row)) for table, row in refined]


def _corrected(table: str) -> Row:
    """What a line billed again says otherwise of the same thing."""
    return {"ER_CAM_F": {"CAM_MOD_COD": "7"}, "ER_TIP_F": {"TIP_ACL_DTD": "09/01/2024"}}.get(table, {})


def _negated(number: str) -> str:
    return number if number in {"", "0"} else number.removeprefix("-") if number.startswith("-") else f"-{number}"
