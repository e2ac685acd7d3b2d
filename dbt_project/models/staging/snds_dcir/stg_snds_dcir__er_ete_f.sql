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
    etb_exe_fin,
    ete_ind_taa,
    _delivery
from {{ source('snds_dcir', 'er_ete_f') }}
