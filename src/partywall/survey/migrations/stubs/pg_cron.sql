-- What migrations use of pg_cron; no job ever runs: https://github.com/citusdata/pg_cron
CREATE SCHEMA cron;
CREATE TABLE cron.job (
    jobid bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, schedule text NOT NULL, command text NOT NULL,
    nodename text NOT NULL DEFAULT 'localhost', nodeport integer NOT NULL DEFAULT 5432,
    database text NOT NULL DEFAULT current_database(), username text NOT NULL DEFAULT current_user,
    active boolean NOT NULL DEFAULT true, jobname text UNIQUE
);
CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO cron.job (jobname, schedule, command) VALUES (job_name, schedule, command)
    ON CONFLICT (jobname) DO UPDATE SET schedule = excluded.schedule, command = excluded.command
    RETURNING jobid
$$;
CREATE FUNCTION cron.schedule(schedule text, command text) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO cron.job (schedule, command) VALUES (schedule, command) RETURNING jobid
$$;
CREATE FUNCTION cron.unschedule(job_name text) RETURNS boolean LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM cron.job WHERE jobname = job_name RETURNING 1) SELECT EXISTS (TABLE gone)
$$;
CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean LANGUAGE sql AS $$
    WITH gone AS (DELETE FROM cron.job WHERE jobid = job_id RETURNING 1) SELECT EXISTS (TABLE gone)
$$;
