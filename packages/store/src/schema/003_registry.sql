-- What stands where, and who was where when.
select 1;
