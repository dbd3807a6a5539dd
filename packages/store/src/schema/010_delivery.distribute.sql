-- Definitions everywhere; what was sent, imported and ordered stays with the coordinator.
select create_reference_table('amiable.format');
select create_reference_table('amiable.format_version');
select create_reference_table('amiable.destination');
select create_reference_table('amiable.destination_secret');
