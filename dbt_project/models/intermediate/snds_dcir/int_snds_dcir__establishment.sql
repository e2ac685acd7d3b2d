{{ config(
    materialized='cdm_table',
    scope='all',
    changes_with=['snds_dcir', 'snds_beneficiaries'],
    contract={'enforced': true},
) }}
{{ after_scope() }}
select distinct establishment as finess, {{ finess_department('establishment') }} as department
from {{ ref('int_snds_dcir__event') }}
where is_first_of_visit and establishment is not null
