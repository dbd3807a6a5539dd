-- The transaction log, and events by one catalogue.
select 1;
