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
    tip_prs_ide,
    tip_prs_typ,
    tip_act_qsn,
    {{ no_sentinel('tip_acl_dtd', ['1600-01-01', '0001-01-01', '2099-12-31', '2999-12-31']) }} as tip_acl_dtd,
    {{ no_sentinel('tip_acl_dtf', ['1600-01-01', '0001-01-01', '2099-12-31', '2999-12-31']) }} as tip_acl_dtf,
    _delivery
from {{ source('snds_dcir', 'er_tip_f') }}
