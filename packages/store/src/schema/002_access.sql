-- Users, groups, segments, tokens, sessions and the audit log.
select 1;
