select
    'snds_beneficiaries' as dataset,
    'FR_CIM10' as source_vocabulary_id,
    count(*) as coded_rows,
    count(*) filter (concept_id <> 0) as mapped_rows,
    count(distinct code) as codes,
    count(distinct code) filter (concept_id <> 0) as mapped_codes
from {{ ref('int_snds_beneficiaries__ald_kept') }}
having count(*) > 0
