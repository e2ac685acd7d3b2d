{{ config(scope='all') }}
select * exclude (target_domain_id)
from ({{ own_map() }}) as own
