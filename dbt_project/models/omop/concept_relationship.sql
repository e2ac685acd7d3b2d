{{ config(scope='all') }}
{{ vocabulary_table() }}
