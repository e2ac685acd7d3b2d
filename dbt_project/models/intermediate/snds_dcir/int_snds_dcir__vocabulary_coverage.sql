with coded as (
    select
        case event.kind
            when 'pha' then 'FR_CIP13'
            when 'ucd' then 'FR_UCD'
            when 'cam' then 'FR_CCAM'
            when 'bio' then 'FR_NABM'
            when 'tip' then 'FR_LPP'
            else 'FR_PRS_NAT_REF'
        end as source_vocabulary_id,
        coalesce(event.code, cast(event.nature as varchar)) as code,
        count(*) as coded_rows
    from {{ ref('int_snds_dcir__event') }} as event
    where
        event.quantity > 0
        and (
            event.kind not in ('prs', 'cpl')
            or (
                event.kind = 'prs'
                and event.unrefined_quantity > 0
                and event.nature_domain in ('Procedure', 'Observation')
            )
        )
    group by all
),

-- The seven digits of a drug are looked up too, as its exposure does.
mapped as (
    select
        coded.*,
        greatest(coalesce(known.target_concept_id, 0), coalesce(former.target_concept_id, 0)) <> 0 as is_mapped
    from coded
    left join {{ ref('int_hub__concept_map') }} as known
        on known.source_vocabulary_id = coded.source_vocabulary_id and known.source_code = coded.code
    left join {{ ref('int_hub__concept_map') }} as former
        on
            former.source_vocabulary_id = case coded.source_vocabulary_id
                when 'FR_CIP13' then 'FR_CIP7'
                when 'FR_UCD' then 'FR_UCD'
            end
            and former.source_code = {{ seven_digits('coded.code') }}
)

select
    'snds_dcir' as dataset,
    source_vocabulary_id,
    cast(sum(coded_rows) as bigint) as coded_rows,
    cast(coalesce(sum(coded_rows) filter (is_mapped), 0) as bigint) as mapped_rows,
    count(*) as codes,
    count(*) filter (is_mapped) as mapped_codes
from mapped
group by source_vocabulary_id
