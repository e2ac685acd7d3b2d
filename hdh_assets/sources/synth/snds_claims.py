"""Claims and lines of one monthly flux, for a range of persons: tables `claim`, `test` and `line`.

A claim belongs to a person, a month of care and a delay: what a flux holds is computed from those alone, so that a
month is the same whichever months are asked for. A flux also holds the cancellations of claims of the three fluxes
before it, and sometimes their corrected form. Turning lines into the producer's columns is in `snds_files.py`.
"""

from __future__ import annotations

from datetime import date

import duckdb

from hdh_assets.sources.synth.engine import BANDS, slots

LATEST_MONTHS = 27
"""Care reaches a flux up to this many months after the flux that could first have held it."""

CANCELLED_PERCENT = 1.5
REBILLED_PERCENT = 50
ORPHANS_PER_THOUSAND = 0.5
"""Claims that arrive as cancellations of nothing."""

CLAIMS_PER_MONTH = "[7.2, 3.9, 5.4, 7.8, 13.8]"
"""Mean claims of a person in a month of care, by age band."""


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the draw tables `service`, `service_slot`, `item`, `item_slot` and `delay`, once for a connection."""
    con.execute(_DELAY.format(latest=LATEST_MONTHS))
    con.execute(_SERVICE)
    bands = " UNION ALL ".join(
        f"SELECT {number} AS band, service, {name}::INTEGER AS weight, position FROM code_services"
        for number, (name, _) in enumerate(BANDS)
    )
    slots(con, "service_slot", bands, "band", "service")
    con.execute(_ITEM)
    con.execute("CREATE TABLE bands AS " + _bands())
    slots(
        con,
        "item_slot",
        """SELECT pool, band, s.range::INTEGER AS sex, item, weight, item AS position FROM item
           JOIN bands ON min_age < upper_age AND max_age >= lower_age JOIN range(1, 3) s
           ON item.sex IS NULL OR item.sex = s.range""",
        "pool, band, sex",
        "item",
    )


def _bands() -> str:
    lowers = [0, *(upper for _, upper in BANDS[:-1])]
    return (
        "SELECT * FROM (VALUES "
        + ", ".join(
            f"({number}, {lower}, {upper})"
            for number, (lower, (_, upper)) in enumerate(zip(lowers, BANDS, strict=True))
        )
        + ") AS t(band, lower_age, upper_age)"
    )


def make_lines(con: duckdb.DuckDBPyConnection, flux: date, first: int, last: int) -> int:
    """Fill `claim`, `test` and `line` for the persons from `first` to before `last`; the number of lines."""
    values = {
        "flux": f"DATE '{flux}'", "first": first, "last": last, "rates": CLAIMS_PER_MONTH, "cancelled": CANCELLED_PERCENT,
        "rebilled": REBILLED_PERCENT, "orphans": ORPHANS_PER_THOUSAND,
    }  # fmt: skip
    for statement in (_CLAIM, _TEST, _LINE):
        con.execute(statement.format(**values))
    counted = con.execute("SELECT count(*) FROM line").fetchone()
    return int(counted[0]) if counted else 0


# 72 % of a month's care is in the first flux that can hold it, 90 % in the first two, 99 % in the first seven.
_DELAY = """
CREATE TABLE delay AS
SELECT range::INTEGER AS late, CASE range WHEN 0 THEN 0.72 WHEN 1 THEN 0.18 ELSE 0.04 * 0.6 ** (range - 2) END AS share
FROM range({latest} + 1)
"""

_SERVICE = """
CREATE TABLE service AS
SELECT service, prestation, pool, lines::INTEGER AS lines, rate::INTEGER AS rate, price::DECIMAL(11, 2) AS price, specialty, activity,
    place, extra, extra_price::DECIMAL(11, 2) AS extra_price, extra_percent::INTEGER AS extra_percent, taa, category,
    prescribed = '1' AS is_prescribed, days::INTEGER AS days
FROM code_services
"""

_ITEM = """
CREATE TABLE item AS
WITH listed AS (
    SELECT 'drug' AS pool, cip13 AS code, cip7 AS other_code, price, rate, units,
        CASE rate WHEN '65' THEN '3313' WHEN '30' THEN '3312' WHEN '15' THEN '3341' ELSE '3311' END AS prestation,
        weight, min_age, max_age, sex, NULL AS detail, 1 AS list, position FROM code_drugs
    UNION ALL SELECT 'act' || prestation, ccam, NULL, price, NULL, NULL, NULL, weight, min_age, max_age, sex, activities, 2, position FROM code_acts
    UNION ALL SELECT 'lab', nabm, NULL, b_coefficient, NULL, NULL, NULL, weight, '0', '120', NULL, NULL, 3, position FROM code_lab_tests
    UNION ALL SELECT 'device' || prestation, lpp, NULL, price, NULL, NULL, NULL, weight, '0', '120', NULL, kind, 4, position FROM code_devices
    UNION ALL SELECT 'ucd' || top_ucd, ucd, NULL, price, NULL, NULL, NULL, weight, '0', '120', NULL, top_ucd, 5, position FROM code_hospital_drugs
)
SELECT row_number() OVER (ORDER BY list, position)::INTEGER AS item, pool, code, other_code, price::DECIMAL(11, 2) AS price,
    rate::INTEGER AS rate, units::INTEGER AS units, prestation, weight::INTEGER AS weight, min_age::INTEGER AS min_age,
    max_age::INTEGER AS max_age, sex::INTEGER AS sex, detail
FROM listed
"""

_CLAIM = """
CREATE OR REPLACE TEMP TABLE claim AS
WITH asked AS (
    SELECT person.*, late, share, back.range::INTEGER AS back,
        (date_trunc('month', {flux}) - to_months(CAST(1 + back.range + late AS INTEGER)))::DATE AS care_month
    FROM person JOIN delay ON true JOIN range(4) back ON back.range = 0 OR late <= 2
    WHERE i >= {first} AND i < {last}
),
counted AS (
    SELECT *, (year(care_month) - birth_year) AS age, hash(hash(p, date_diff('month', DATE '2000-01-01', care_month)), late) AS m
    FROM asked WHERE care_month + INTERVAL 1 MONTH > birth_date AND (death_date IS NULL OR care_month <= death_date)
),
rated AS (
    SELECT *, band_of(age) AS band,
        floor(least(36, ({rates})[1 + band_of(age)] * (0.4 + 1.2 * unit('need', p)) * (0.7 + 0.6 * unit('season', m))) * share + unit('count', m))::INTEGER AS n
    FROM counted
),
told AS (
    SELECT * EXCLUDE (n, share), hash(m, unnest(range(n))) AS c FROM rated WHERE n > 0
),
dated AS (
    SELECT *, care_month + pick('day', c, CASE WHEN late = 0 THEN 27 ELSE day(last_day(care_month)) END)::INTEGER AS care_date,
        ({flux} - INTERVAL 1 MONTH)::DATE AS treat_month
    FROM told
    WHERE back = 0 OR (percent('cancel', c, {cancelled}) AND 1 + pick('cancelled_after', c, 3) = back)
),
versions AS (
    SELECT *, unnest(CASE WHEN back = 0 THEN [CASE WHEN rnd('orphan', c) % 10000 < {orphans} * 10 THEN -1 ELSE 1 END]
                          WHEN percent('rebill', c, {rebilled}) THEN [-1, 1] ELSE [-1] END) AS sign
    FROM dated WHERE care_date >= birth_date AND (death_date IS NULL OR care_date <= death_date)
),
served AS (
    SELECT versions.*, service.* FROM versions
    JOIN service_slot ON service_slot.band = versions.band AND service_slot.slot = pick('service', c, 1000)
    JOIN service USING (service)
)
SELECT served.* EXCLUDE (home_insee, moved_insee, move_date, treat_month),
    snds_department AS dpt, snds_commune AS com, CASE WHEN snds_department LIKE '97%' THEN '97' ELSE substr(snds_department, 2) END AS zone,
    CASE WHEN late = 0 AND back = 0 THEN care_date + pick('treated', c, day(last_day(care_month)) - day(care_date) + 1)::INTEGER
         ELSE treat_month + pick('treated', c, day(last_day(treat_month)))::INTEGER END AS treat_date,
    CASE WHEN care_date >= own_from THEN psa_own WHEN has_both AND percent('other', c, 30) THEN psa_b ELSE psa_a END AS psa,
    CASE WHEN care_date >= own_from THEN own_rank ELSE child_rank END AS psa_rank,
    i * 128 + row_number() OVER (PARTITION BY i ORDER BY care_month, late, back, c, sign) AS claim_number,
    (1 + pick('lines', c, lines))::INTEGER AS line_count, illnesses > 0 AND percent('exempt', c, 55) AS is_exempt,
    CASE WHEN specialty <> '*' THEN specialty
         ELSE ['3', '5', '7', '8', '11', '13', '14', '15', '32', '35', '41', '42', '70', '73'][1 + pick('specialty', c, 14)] END AS spe
FROM served JOIN code_communes ON insee = CASE WHEN move_date <= care_date THEN moved_insee ELSE home_insee END
"""

_TEST = """
CREATE OR REPLACE TEMP TABLE test AS
WITH asked AS (
    SELECT claim_number, c, sex, band, sign, unnest(range(2 + pick('tests', c, 6))) AS j FROM claim WHERE pool = 'lab'
)
SELECT claim_number, sign, j::INTEGER AS j, c, CASE WHEN j = 0 THEN '9005' ELSE code END AS code, CASE WHEN j = 0 THEN 16 ELSE price::INTEGER END AS coefficient
FROM asked JOIN item_slot ON pool = 'lab' AND item_slot.band = asked.band AND item_slot.sex = asked.sex AND slot = pick('test', hash(c, j), 1000)
JOIN item USING (item)
"""

# A complement shares the rank of its act and differs by the last key alone: eight keys join twice.
_LINE = """
CREATE OR REPLACE TEMP TABLE line AS
WITH ranked AS (
    SELECT *, unnest(range(line_count))::INTEGER AS r FROM claim
),
drawn AS (
    SELECT ranked.*, hash(c, r) AS l, item.item, item.code, item.other_code, item.units, item.detail,
        coalesce(item.prestation, ranked.prestation) AS nature, coalesce(item.rate, ranked.rate) AS base_rate,
        CASE WHEN ranked.pool = 'lab' THEN ranked.price ELSE coalesce(item.price, ranked.price) END AS unit_price
    FROM ranked
    LEFT JOIN item_slot ON item_slot.pool = ranked.pool AND item_slot.band = ranked.band AND item_slot.sex = ranked.sex
        AND slot = pick('item', CASE WHEN percent('habit', hash(c, r), 60) THEN hash(p, r) ELSE hash(c, r) END, 1000)
    LEFT JOIN item ON item.item = item_slot.item
),
measured AS (
    SELECT drawn.*, coefficients.total,
        CASE WHEN sign = 1 AND back > 0 THEN 1
             WHEN drawn.pool = 'drug' THEN [1, 1, 1, 1, 1, 1, 1, 1, 2, 3][1 + pick('boxes', l, 10)]
             WHEN service = 'daily_allowance' THEN 3 + pick('days', l, 12) ELSE 1 END * sign AS quantity,
        CASE WHEN service IN ('nurse', 'nurse_care') THEN 1 + pick('coefficient', l, 4)
             WHEN drawn.pool = 'lab' THEN coalesce(total, 0) ELSE 1 END AS coefficient,
        1 AS act_type, r + 1 AS rank
    FROM drawn LEFT JOIN (
        SELECT claim_number, sum(coefficient)::BIGINT AS total FROM test GROUP BY ALL
    ) coefficients USING (claim_number)
),
all_lines AS (
    SELECT i, p, c, l, sex, birth_year, birth_date, death_date, age, nir_kind, scheme, psa, psa_rank, dpt, com, zone, care_date, treat_date, back, sign,
        claim_number, service, pool, taa, category, is_prescribed, days, spe, activity, place, is_exempt, item, code, other_code, units, detail,
        nature, base_rate, unit_price, quantity, coefficient, act_type, rank, 0 AS complement
    FROM measured
    UNION ALL
    SELECT i, p, c, hash(c, 1000), sex, birth_year, birth_date, death_date, age, nir_kind, scheme, psa, psa_rank, dpt, com, zone, care_date, treat_date, back, sign,
        claim_number, service, NULL, NULL, NULL, is_prescribed, 0, spe, activity, place, is_exempt, NULL, NULL, NULL, NULL, NULL,
        extra, rate, extra_price, sign, 1, CASE WHEN extra = '3223' THEN 1 ELSE 2 END, CASE WHEN extra = '3223' THEN line_count + 1 ELSE 1 END,
        CASE extra WHEN '3223' THEN 0 WHEN '1126' THEN 1 ELSE 2 END
    FROM claim WHERE extra IS NOT NULL AND percent('extra', c, extra_percent)
)
SELECT *, CASE WHEN is_exempt THEN 100 ELSE base_rate END AS paid_rate,
    CAST(unit_price * coefficient * quantity AS DECIMAL(11, 2)) AS base,
    CASE WHEN complement = 0 AND activity = '0' AND spe NOT IN ('0', '1', '22') AND taa IS NULL AND percent('excess', l, 25)
         THEN CAST(unit_price * quantity * 6 / 10 AS DECIMAL(11, 2)) ELSE 0::DECIMAL(11, 2) END AS excess
FROM all_lines ORDER BY claim_number, rank, act_type
"""
