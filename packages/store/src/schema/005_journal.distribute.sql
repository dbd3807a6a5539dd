-- Gaps lie with their meter; the transaction log, the completeness report and announced work stay on the coordinator.
select create_distributed_table('amiable.gap', 'meter', colocate_with => 'amiable.block');
