-- How meters are reached, and what is read of them.
select 1;
