select
    dct_ord_num,
    flx_dis_dtd,
    flx_emt_num,
    flx_emt_ord,
    flx_emt_typ,
    flx_trt_dtd,
    org_cle_num,
    prs_ord_num,
    rem_typ_aff,
    pha_prs_c13,
    pha_prs_ide,
    pha_act_qsn,
    pha_dec_top,
    pha_dec_qsu,
    _delivery
from {{ source('snds_dcir', 'er_pha_f') }}
