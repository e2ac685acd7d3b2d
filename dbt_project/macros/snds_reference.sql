{# The column, null where it holds one of the producer's texts or dates that mean missing. #}
{% macro no_sentinel(column, sentinels) -%}
    case when {{ column }} not in ('{{ sentinels | join("', '") }}') then {{ column }} end
{%- endmacro %}


{# SQL condition: the nature of a social security number (BEN_CDI_NIR) is normal or provisional, not fictitious (rule 14). #}
{% macro is_genuine_number(nature) -%}
    coalesce(lpad(trim({{ nature }}), 2, '0') in ('00', '03', '04'), false)
{%- endmacro %}


{# What the reference of beneficiaries says, and its archive, which has the same columns. #}
{% macro beneficiary_reference(delivered) -%}
select
    ben_nir_psa,
    try_cast(ben_rng_gem as integer) as ben_rng_gem,
    ben_nir_ano,
    ben_idt_ano,
    ben_idt_top,
    ass_nir_ano,
    {{ no_sentinel('ben_idt_maj', ['1600-01-01', '0001-01-01']) }} as ben_idt_maj,
    ben_cdi_nir,
    case when ben_nai_ann > 1600 then cast(ben_nai_ann as integer) end as ben_nai_ann,
    try_cast(ben_nai_moi as integer) as ben_nai_moi,
    ben_sex_cod,
    {{ no_sentinel('ben_dcd_dte', ['1600-01-01', '0001-01-01']) }} as ben_dcd_dte,
    {{ no_sentinel('ben_dcd_ame', ['160001', '000101']) }} as ben_dcd_ame,
    ben_res_dpt,
    ben_res_com,
    org_aff_ben,
    org_cle_new,
    ben_top_cns,
    {{ no_sentinel('max_trt_dtd', ['1600-01-01', '0001-01-01']) }} as max_trt_dtd,
    {{ no_sentinel('ben_dte_ins', ['1600-01-01', '0001-01-01']) }} as ben_dte_ins,
    {{ no_sentinel('ben_dte_maj', ['1600-01-01', '0001-01-01']) }} as ben_dte_maj,
    _delivery
from {{ delivered }}
{%- endmacro %}
