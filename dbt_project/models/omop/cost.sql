{{ config(scope_key='cost_id', scope_date='cost_date') }}
{# The table names no person: the fragments give `person_id` and `cost_date` beside its columns, for the scope. #}
{{ fragments(beside={'person_id': 'bigint', 'cost_date': 'date'}) }}
