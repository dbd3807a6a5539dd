-- Arrivals with their meter; edits and settings on the coordinator.
select create_distributed_table('amiable.arrival', 'meter', colocate_with => 'amiable.block');
