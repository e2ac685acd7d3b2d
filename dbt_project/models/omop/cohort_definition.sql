{{ config(scope='all') }}
{{ fragments() }}
