with coded as (
    select ald.code, count(*) as coded_rows, coalesce(max(known.target_concept_id), 0) <> 0 as is_mapped
    from {{ ref('int_snds_beneficiaries__ald_kept') }} as ald
    left join {{ ref('int_hub__concept_map') }} as known
        on known.source_vocabulary_id = 'FR_CIM10' and known.source_code = ald.code
    group by ald.code
)

select
    'snds_beneficiaries' as dataset,
    'FR_CIM10' as source_vocabulary_id,
    cast(sum(coded_rows) as bigint) as coded_rows,
    cast(coalesce(sum(coded_rows) filter (is_mapped), 0) as bigint) as mapped_rows,
    count(*) as codes,
    count(*) filter (is_mapped) as mapped_codes
from coded
having count(*) > 0
