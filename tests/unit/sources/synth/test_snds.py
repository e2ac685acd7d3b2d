"""The traps of the national data are all in the synthetic fluxes, and nothing impossible is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.unit.sources.synth.deliveries import DATASETS, made, one, opened

FLUX, MONTH = "DATE '2024-03-01'", "DATE '2024-02-01'"


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Three thousand persons: a flux and the reference of the same month, in one connection."""
    out = tmp_path_factory.mktemp("snds")
    dcir, reference = made(out, "snds_dcir", "snds_beneficiaries", persons=3000)
    con = opened(dcir, DATASETS["snds_dcir"])
    other = opened(reference, DATASETS["snds_beneficiaries"])
    for table in DATASETS["snds_beneficiaries"].tables:
        con.register("passed", other.execute(f"SELECT * FROM {table.lake_name}").arrow())
        con.execute(f"CREATE TABLE {table.lake_name} AS SELECT * FROM passed")
    con.execute("CREATE MACRO day(text) AS strptime(text, '%d/%m/%Y')::DATE")
    con.execute("CREATE VIEW everyone AS FROM ir_ben_r UNION ALL FROM ir_ben_r_arc")
    return con


def share(con: duckdb.DuckDBPyConnection, condition: str, table: str = "er_prs_f") -> float:
    (value,) = con.execute(f"SELECT count(*) FILTER ({condition}) / count(*) FROM {table}").fetchone() or (0,)
    return float(value)


def test_a_flux_is_the_month_after_its_processing(con: duckdb.DuckDBPyConnection) -> None:
    assert share(con, f"day(flx_dis_dtd) = {FLUX} AND date_trunc('month', day(flx_trt_dtd)) = {MONTH}") == 1


def test_care_is_never_later_than_its_processing_nor_older_than_the_look_back(con: duckdb.DuckDBPyConnection) -> None:
    assert share(con, "day(exe_soi_dtd) > day(flx_trt_dtd)") == 0
    assert share(con, f"date_diff('month', day(exe_soi_dtd), {MONTH}) > 30") == 0


def test_nine_lines_in_ten_are_of_the_last_two_months_and_some_are_very_late(con: duckdb.DuckDBPyConnection) -> None:
    assert 0.85 < share(con, f"date_diff('month', day(exe_soi_dtd), {MONTH}) <= 1") < 0.94
    assert one(con, f"SELECT max(date_diff('month', day(exe_soi_dtd), {MONTH})) FROM er_prs_f") >= 9


def test_nobody_gets_care_before_birth_or_after_death(con: duckdb.DuckDBPyConnection) -> None:
    joined = "er_prs_f c JOIN everyone b USING (ben_nir_psa, ben_rng_gem)"
    dead = "b.ben_dcd_dte <> '01/01/1600' AND day(b.ben_dcd_dte) < day(c.exe_soi_dtd)"
    assert one(con, f"SELECT count(*) FROM {joined} WHERE {dead}") == 0
    assert one(con, f"SELECT count(*) FROM {joined} WHERE b.ben_nai_ann::INT > year(day(c.exe_soi_dtd))") == 0


def test_whoever_gets_care_is_in_the_reference(con: duckdb.DuckDBPyConnection) -> None:
    assert one(con, "SELECT count(*) FROM er_prs_f ANTI JOIN everyone USING (ben_nir_psa, ben_rng_gem)") == 0
    assert one(con, "SELECT count(*) FROM ir_imb_r ANTI JOIN everyone USING (ben_nir_psa, ben_rng_gem)") == 0
    assert one(con, "SELECT count(*) FROM ir_ben_r SEMI JOIN ir_ben_r_arc USING (ben_nir_psa, ben_rng_gem)") == 0
    assert one(con, "SELECT count(*) FROM ir_ben_r_arc") > 0


def test_lines_for_information_and_public_hospitals_are_there_to_be_dropped(con: duckdb.DuckDBPyConnection) -> None:
    assert 0 < share(con, "dpn_qlf = '71'") < 0.05
    assert share(con, "dpn_qlf = '71' AND prs_dpn_qlp IS NULL") > 0
    kinds = {value for (value,) in con.execute("SELECT DISTINCT ete_ind_taa FROM er_ete_f").fetchall()}
    assert kinds == {"0", "1", "2"}


def test_complements_carry_money_and_share_eight_keys_with_their_act(con: duckdb.DuckDBPyConnection) -> None:
    assert share(con, "cpl_maj_top = '2'") > 0.01
    eight = "dct_ord_num, flx_dis_dtd, flx_emt_num, flx_emt_ord, flx_emt_typ, flx_trt_dtd, org_cle_num, prs_ord_num"
    assert one(con, f"SELECT count(*) - count(DISTINCT ({eight})) FROM er_prs_f") > 0
    assert share(con, "cpl_maj_top = '2' AND (bse_prs_nat <> '0' OR bse_rem_mnt::DOUBLE <> 0)") == 0


def test_regularisations_are_signed_and_undo_what_an_earlier_flux_brought(tmp_path: Path) -> None:
    folders = made(tmp_path, "snds_dcir", persons=600, first="2024-01", last="2024-04")
    last = opened(folders[-1], DATASETS["snds_dcir"])
    identity = "ben_nir_psa, ben_rng_gem, exe_soi_dtd, prs_nat_ref, abs(prs_act_qte::DOUBLE) AS quantity, pfs_exe_num"
    undone = last.execute(f"SELECT DISTINCT {identity} FROM er_prs_f WHERE prs_act_qte::DOUBLE < 0").fetchall()
    brought = set()
    for folder in folders[:-1]:
        brought |= set(opened(folder, DATASETS["snds_dcir"]).execute(f"SELECT {identity} FROM er_prs_f").fetchall())
    assert len(undone) > 30
    assert sum(row in brought for row in undone) > 0.9 * len(undone)


def test_refined_quantities_carry_the_sign_of_their_line_but_hospital_drugs_do_not(
    con: duckdb.DuckDBPyConnection,
) -> None:
    nine = "dct_ord_num, flx_emt_num, flx_emt_ord, flx_emt_typ, flx_trt_dtd, org_cle_num, prs_ord_num, rem_typ_aff"
    differs = "sign(p.prs_act_qte::DOUBLE) <> sign(r.{quantity}::DOUBLE)"
    for table, quantity in (("er_pha_f", "pha_act_qsn"), ("er_bio_f", "bio_act_qsn"), ("er_tip_f", "tip_act_qsn")):
        query = (
            f"SELECT count(*) FROM er_prs_f p JOIN {table} r USING ({nine}) WHERE {differs.format(quantity=quantity)}"
        )
        assert one(con, query) == 0
    assert one(con, "SELECT count(*) FROM er_ucd_f WHERE ucd_dlv_nbr::INT <= 0") == 0


def test_a_line_may_carry_several_refined_rows(con: duckdb.DuckDBPyConnection) -> None:
    nine = "dct_ord_num, flx_trt_dtd, org_cle_num, prs_ord_num, rem_typ_aff"
    for table in ("er_pha_f", "er_cam_f", "er_bio_f"):
        assert one(con, f"SELECT max(n) FROM (SELECT count(*) AS n FROM {table} GROUP BY {nine})") > 1


def test_amounts_hold_together(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE VIEW act AS SELECT *, bse_rem_bse::DOUBLE AS base FROM er_prs_f WHERE cpl_maj_top = '0'")
    assert share(con, "abs(prs_pai_mnt::DOUBLE - base - prs_dep_mnt::DOUBLE) > 0.001", "act") == 0
    assert share(con, "abs(bse_rem_mnt::DOUBLE - base * rgo_rem_tau::DOUBLE / 100) > 0.0051", "act") == 0
    assert share(con, "(bse_rem_sgn = '2') <> (prs_act_qte::DOUBLE < 0)", "act") == 0


def test_codes_keep_their_zeros_and_their_unknowns(con: duckdb.DuckDBPyConnection) -> None:
    assert one(con, "SELECT count(*) FROM er_bio_f WHERE bio_prs_ide = '0552'") > 0
    assert one(con, "SELECT count(*) FROM er_bio_f WHERE bio_prs_ide = '552'") > 0
    assert one(con, "SELECT count(*) FROM er_pha_f WHERE pha_prs_c13 = '0'") > 0
    assert one(con, "SELECT count(*) FROM er_ucd_f WHERE ucd_ucd_cod NOT LIKE '000000%'") == 0
    assert {n for (n,) in con.execute("SELECT DISTINCT length(tip_prs_ide) FROM er_tip_f").fetchall()} == {7, 13}
    assert one(con, "SELECT count(*) FROM er_ete_f WHERE length(etb_exe_fin) <> 8") == 0


def test_deconditioned_boxes_are_marked_in_both_ways(con: duckdb.DuckDBPyConnection) -> None:
    tops = dict(con.execute("SELECT pha_dec_top, count(*) FROM er_pha_f GROUP BY ALL").fetchall())
    assert tops["D"] > 0
    assert tops["1"] > 0
    assert one(con, "SELECT count(*) FROM er_pha_f WHERE pha_dec_top IN ('D', '1') AND pha_dec_qsu = '0'") == 0


def test_teleconsultations_are_there(con: duckdb.DuckDBPyConnection) -> None:
    assert share(con, "prs_nat_ref IN ('1191', '1192')") > 0


def test_a_person_may_have_several_pseudonyms_and_one_number_for_life(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """CREATE OR REPLACE VIEW human AS SELECT ben_nir_ano, count(*) AS pseudonyms,
        count(DISTINCT (ben_nai_ann, ben_nai_moi, ben_sex_cod)) AS births
        FROM everyone WHERE ben_nir_ano IS NOT NULL GROUP BY ALL"""
    )
    assert one(con, "SELECT count(*) FROM human WHERE pseudonyms > 1") > 200
    assert one(con, "SELECT count(*) FROM human WHERE births > 1") == 0


def test_twins_of_the_same_sex_share_a_pseudonym_with_another_rank(con: duckdb.DuckDBPyConnection) -> None:
    shared = "SELECT ben_nir_psa FROM everyone WHERE org_aff_ben LIKE '01%' GROUP BY ALL HAVING count(*) > 1"
    assert one(con, f"SELECT count(*) FROM ({shared})") > 0
    same = f"""SELECT count(*) FROM (SELECT ben_nir_psa FROM everyone WHERE ben_nir_psa IN ({shared})
        GROUP BY ALL HAVING count(DISTINCT ben_sex_cod) > 1 OR count(DISTINCT ben_rng_gem) < count(*))"""
    assert one(con, same) == 0


def test_numbers_are_missing_or_fictitious_for_a_few(con: duckdb.DuckDBPyConnection) -> None:
    assert 0.015 < share(con, "ben_nir_ano IS NULL", "everyone") < 0.06
    assert share(con, "ben_cdi_nir NOT IN ('00', '03', '04')", "everyone") > 0
    assert share(con, "ben_cdi_nir NOT IN ('00', '03', '04') AND ben_nir_ano IS NOT NULL", "everyone") == 0
    assert share(con, "ben_idt_ano <> coalesce(ben_nir_ano, ben_nir_psa || ben_rng_gem)", "everyone") == 0
    assert share(con, "(ben_idt_top = '1') <> (ben_nir_ano IS NOT NULL)", "everyone") == 0


def test_sentinels_mean_missing(con: duckdb.DuckDBPyConnection) -> None:
    assert share(con, "ben_dcd_dte = '01/01/1600' AND ben_dcd_ame = '160001'", "everyone") > 0.8
    assert share(con, "ben_dcd_dte <> '01/01/1600'", "everyone") > 0.01
    assert share(con, "exe_soi_dtf = '01/01/1600'") > 0


def test_long_term_illnesses_are_renewed_and_some_never_end(con: duckdb.DuckDBPyConnection) -> None:
    kinds = {kind for (kind,) in con.execute("SELECT DISTINCT imb_etm_nat FROM ir_imb_r").fetchall()}
    assert {"41", "43", "45"} < kinds
    renewed = "SELECT count(*) FROM (SELECT ben_nir_psa, med_mtf_cod FROM ir_imb_r GROUP BY ALL HAVING count(*) > 1)"
    assert one(con, renewed) > 50
    ends = {
        end
        for (end,) in con.execute(
            "SELECT imb_ald_dtf FROM ir_imb_r WHERE imb_ald_dtf IN ('01/01/1600', '31/12/2099')"
        ).fetchall()
    }
    assert ends == {"01/01/1600", "31/12/2099"}


def test_volumes_are_those_of_the_field(con: duckdb.DuckDBPyConnection) -> None:
    lines = one(con, "SELECT count(*) FROM er_prs_f")
    refined = sum(one(con, f"SELECT count(*) FROM {table.lake_name}") for table in DATASETS["snds_dcir"].tables[1:])
    assert 10 < lines / 3000 < 25
    assert 250 < 12 * (lines + refined) / 3000 < 450


def test_old_people_get_more_care(con: duckdb.DuckDBPyConnection) -> None:
    per_person = dict(
        con.execute(
            """SELECT ben_nai_ann::INT >= 2005 AS young, count(*) / count(DISTINCT ben_nir_psa) FROM er_prs_f
            WHERE ben_nai_ann::INT >= 2005 OR ben_nai_ann::INT <= 1950 GROUP BY ALL"""
        ).fetchall()
    )
    assert per_person[False] > 2.5 * per_person[True]
