with delivered as (
    {%- for file, columns in files_of_events().items() %}
    select patient_id, {{ columns.codes }} as source_vocabulary_id, code from {{ ref('stg_hospital_ehr__' ~ file) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

coded as (
    select
        source_vocabulary_id,
        code as source_code,
        count(*) as coded_rows
    from delivered
    inner join {{ ref('int_hospital_ehr__patient') }} using (patient_id)
    group by all
)

select
    'hospital_ehr' as dataset,
    source_vocabulary_id,
    cast(sum(coded_rows) as bigint) as coded_rows,
    cast(coalesce(sum(coded_rows) filter (concept_id <> 0), 0) as bigint) as mapped_rows,
    count(*) as codes,
    count(*) filter (concept_id <> 0) as mapped_codes
from coded
left join {{ ref('int_hospital_ehr__code') }} using (source_vocabulary_id, source_code)
group by source_vocabulary_id
