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
    cam_prs_ide,
    cam_act_cod,
    cam_trt_pha,
    cam_mod_cod,
    _delivery
from {{ source('snds_dcir', 'er_cam_f') }}
