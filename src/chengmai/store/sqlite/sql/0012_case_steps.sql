-- How many cases were opened and handled of late is asked again and again.
CREATE INDEX case_log_by_step ON case_log (tenant, step, at_us);
