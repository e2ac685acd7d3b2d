select
    ben_nir_psa,
    try_cast(ben_rng_gem as integer) as ben_rng_gem,
    {{ no_sentinel('imb_ald_dtd', ['1600-01-01', '0001-01-01']) }} as imb_ald_dtd,
    {{ no_sentinel('imb_ald_dtf', ['1600-01-01', '0001-01-01', '2099-12-31', '2999-12-31']) }} as imb_ald_dtf,
    imb_ald_num,
    imb_etm_nat,
    imb_mlp_tab,
    imb_mlp_btr,
    imb_sdr_lop,
    med_mtf_cod,
    med_ncl_idt,
    {{ no_sentinel('ins_dte', ['1600-01-01', '0001-01-01']) }} as ins_dte,
    {{ no_sentinel('upd_dte', ['1600-01-01', '0001-01-01']) }} as upd_dte,
    _delivery
from {{ source('snds_beneficiaries', 'ir_imb_r') }}
