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
    bio_prs_ide,
    bio_act_qsn,
    _delivery
from {{ source('snds_dcir', 'er_bio_f') }}
