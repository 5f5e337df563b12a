"""What is added beside procrastinate's tables, in their schema and owned by their login."""

from __future__ import annotations

TENANT = """(coalesce(args #>> '{partywall,tenant}', '!') COLLATE "C")"""
"""Whose a job says it is; `!`, before every id, where it is nobody's."""

LOCKS = 0x7057_7431
"""The class of our advisory locks: one for each tenant's turn."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS partywall_results (
    job_id bigint PRIMARY KEY REFERENCES procrastinate_jobs ON DELETE CASCADE,
    value text,
    reason text
);

CREATE UNIQUE INDEX IF NOT EXISTS partywall_jobs_execution
    ON procrastinate_jobs ((args #>> '{{partywall,id}}')) WHERE args #>> '{{partywall,id}}' IS NOT NULL;
CREATE INDEX IF NOT EXISTS partywall_jobs_tenant ON procrastinate_jobs ({TENANT}, id);
CREATE INDEX IF NOT EXISTS partywall_jobs_turn
    ON procrastinate_jobs ({TENANT}, priority DESC, id) WHERE status = 'todo';
CREATE INDEX IF NOT EXISTS partywall_jobs_doing
    ON procrastinate_jobs ({TENANT}) WHERE status = 'doing';

CREATE OR REPLACE FUNCTION partywall_doing(whose text, alive_s float) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM procrastinate_jobs j JOIN procrastinate_workers w ON w.id = j.worker_id
    WHERE j.status = 'doing' AND {TENANT} = whose
      AND w.last_heartbeat > now() - make_interval(secs => alive_s)
$$;

CREATE OR REPLACE FUNCTION partywall_candidate(whose text, queues varchar[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    SELECT jobs.id INTO found FROM procrastinate_jobs jobs
    WHERE jobs.status = 'todo' AND {TENANT} = whose
      AND (queues IS NULL OR jobs.queue_name = ANY (queues))
      AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
      AND (jobs.lock IS NULL OR NOT EXISTS (
          SELECT FROM procrastinate_jobs other WHERE other.lock = jobs.lock AND (
              other.status = 'doing' OR (other.status = 'todo' AND (
                  other.priority > jobs.priority
                  OR (other.priority = jobs.priority AND other.id < jobs.id))))))
    ORDER BY {TENANT}, jobs.priority DESC, jobs.id LIMIT 1
    FOR UPDATE OF jobs SKIP LOCKED;
    RETURN found;
END;
$$;

CREATE OR REPLACE FUNCTION partywall_fetch_job(
    queues varchar[], worker bigint, after text, usual int, special jsonb, alive_s float,
    OUT turn text, OUT again boolean, OUT job procrastinate_jobs
) LANGUAGE plpgsql AS $$
DECLARE
    wrapped boolean := false;
    next text;
    most int;
    found bigint;
BEGIN
    turn := after;
    again := false;
    LOOP
        SELECT {TENANT} INTO next FROM procrastinate_jobs
        WHERE status = 'todo' AND {TENANT} > turn ORDER BY {TENANT} LIMIT 1;
        IF next IS NULL OR (wrapped AND next COLLATE "C" > after) THEN
            EXIT WHEN wrapped;
            wrapped := true;
            turn := '';
            CONTINUE;
        END IF;
        turn := next;
        IF next = '!' THEN
            found := partywall_candidate(next, queues);
        ELSE
            most := coalesce((special ->> next)::int, usual);
            CONTINUE WHEN partywall_doing(next, alive_s) >= most;
            CONTINUE WHEN partywall_candidate(next, queues) IS NULL;
            PERFORM pg_advisory_xact_lock({LOCKS}, hashtext(next));
            IF partywall_doing(next, alive_s) >= most THEN
                again := true;
                RETURN;
            END IF;
            found := partywall_candidate(next, queues);
            IF found IS NULL THEN
                again := true;
                RETURN;
            END IF;
        END IF;
        IF found IS NOT NULL THEN
            UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker WHERE id = found
            RETURNING * INTO job;
            RETURN;
        END IF;
    END LOOP;
END;
$$;

CREATE OR REPLACE FUNCTION partywall_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo') THEN
        PERFORM pg_notify(channel, json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text)
        FROM unnest(ARRAY['procrastinate_queue_v1#' || NEW.queue_name, 'procrastinate_any_queue_v1'])
            AS channel;
    END IF;
    RETURN NEW;
END;
$$;

CREATE OR REPLACE TRIGGER partywall_wake AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status <> 'doing')
    EXECUTE FUNCTION partywall_wake();
"""  # noqa: E501 - a line of a statement is one of its parts
"""A worker takes the next tenant's first job, and the tenants come round: whoever has one job
waits for one of each other tenant, however many those have.

A transaction holds one tenant's lock at most, so that none waits for another in a circle; where a
limit was reached meanwhile, it asks the caller to come again (`again`).

procrastinate wakes its workers for jobs that come in. With limits also an end lets another begin.
"""

REACHABLE = """
WITH RECURSIVE reached AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ANY (%(logins)s)
    UNION
    SELECT m.roleid FROM reached r JOIN pg_catalog.pg_auth_members m ON m.member = r.oid
), walled AS (
    SELECT c.oid, c.relname, c.relowner FROM pg_catalog.pg_class c
    WHERE c.oid IN (pg_catalog.to_regclass('procrastinate_jobs'),
                    pg_catalog.to_regclass('procrastinate_events'),
                    pg_catalog.to_regclass('procrastinate_periodic_defers'),
                    pg_catalog.to_regclass('partywall_results'))
)
SELECT a.rolname AS role, w.relname AS name
FROM walled w, pg_catalog.pg_roles a
WHERE a.oid IN (SELECT oid FROM reached) AND (
    a.rolsuper OR a.rolcreaterole OR a.oid = w.relowner
    OR pg_catalog.has_table_privilege(a.oid, w.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
    OR pg_catalog.has_any_column_privilege(a.oid, w.oid, 'SELECT, INSERT, UPDATE'))
UNION
SELECT 'PUBLIC', w.relname FROM walled w
WHERE pg_catalog.has_table_privilege('public', w.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
   OR pg_catalog.has_any_column_privilege('public', w.oid, 'SELECT, INSERT, UPDATE')
UNION
SELECT '', '' WHERE (SELECT count(*) FROM walled) < 4
ORDER BY 1, 2
"""
"""Which of these logins could read or write a job, itself or as a role it may become; an empty row
where the tables are not all there."""

FIELDS = f"""
SELECT j.id AS job_id, j.task_name, j.status::text AS status, j.args, r.value, r.reason
FROM procrastinate_jobs j LEFT JOIN partywall_results r ON r.job_id = j.id
WHERE {TENANT} = %(tenant)s
"""

ONE = FIELDS + " AND j.args #>> '{partywall,id}' = %(id)s"

NEWEST = FIELDS + " ORDER BY j.id DESC LIMIT %(most)s"

WAITING = f"""
SELECT count(*) AS waiting FROM (
    SELECT FROM procrastinate_jobs WHERE status = 'todo' AND {TENANT} = %(tenant)s LIMIT %(most)s
) AS line
"""

KEEP = """
INSERT INTO partywall_results (job_id, value, reason) VALUES (%(job)s, %(value)s, %(reason)s)
ON CONFLICT (job_id) DO UPDATE SET value = excluded.value, reason = excluded.reason
"""

FETCH = """
SELECT turn, again, (job).id, (job).status, (job).task_name, (job).priority, (job).lock,
       (job).queueing_lock, (job).args, (job).scheduled_at, (job).queue_name, (job).attempts,
       (job).worker_id
FROM partywall_fetch_job(
    %(queues)s::varchar[], %(worker)s, %(after)s, %(usual)s, %(special)s, %(alive_s)s)
"""

RECOVER = """
WITH stalled AS (
    SELECT j.id FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
    WHERE j.status = 'doing' AND j.args #>> '{partywall,id}' IS NOT NULL
      AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(alive_s)s))
    FOR UPDATE OF j SKIP LOCKED
), again AS MATERIALIZED (
    SELECT id, procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM stalled
)
SELECT count(*) AS recovered FROM again
"""
"""One statement: a job that ends meanwhile, or that another recovers, is passed over."""
