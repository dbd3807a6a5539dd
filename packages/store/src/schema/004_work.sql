-- Tasks, flows, runs and jobs.
select 1;
