{{ config(scope='all') }}
with delivered as (
    select
        dataset,
        min(period) as first_period,
        max(period) as latest_period,
        max(cast(loaded_at as date)) as loaded_on,
        count(*) as deliveries
    from {{ source('hub', 'delivery') }}
    where status = 'current'
    group by dataset
),

fact as (
    select {{ hub_id(['metadata', 'dataset']) }} as metadata_id, 'latest' as which, latest_period as period, *
    from delivered
    union all
    select {{ hub_id(['metadata|first', 'dataset']) }}, 'first', first_period, *
    from delivered
)

select
    metadata_id,
    0 as metadata_concept_id,
    32880 as metadata_type_concept_id,
    which || ' period of ' || dataset as name,
    period as value_as_string,
    cast(null as integer) as value_as_concept_id,
    cast(deliveries as double) as value_as_number,
    loaded_on as metadata_date,
    cast(loaded_on as timestamp) as metadata_datetime
from fact
