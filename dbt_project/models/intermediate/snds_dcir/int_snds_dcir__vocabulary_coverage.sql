with coded as (
    select
        {{ code_list('event.kind') }} as source_vocabulary_id,
        {{ code_of_event() }} as code,
        count(*) as coded_rows,
        bool_or(event.concept_id <> 0) as is_mapped
    from {{ ref('int_snds_dcir__event') }} as event
    where event.domain_id is not null
    group by all
)

select
    'snds_dcir' as dataset,
    source_vocabulary_id,
    cast(sum(coded_rows) as bigint) as coded_rows,
    cast(coalesce(sum(coded_rows) filter (is_mapped), 0) as bigint) as mapped_rows,
    count(*) as codes,
    count(*) filter (is_mapped) as mapped_codes
from coded
group by source_vocabulary_id
