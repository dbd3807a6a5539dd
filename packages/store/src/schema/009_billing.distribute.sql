-- Tariffs and contracts everywhere, bills with their meter; runs and releases stay on the coordinator.
select create_reference_table('amiable.tariff');
select create_reference_table('amiable.tariff_version');
select create_reference_table('amiable.contract');
select create_distributed_table('amiable.bill', 'meter', colocate_with => 'amiable.block');
select create_distributed_table('amiable.determinant', 'meter', colocate_with => 'amiable.block');
