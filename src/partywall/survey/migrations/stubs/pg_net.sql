-- What migrations use of pg_net; nothing is sent: https://supabase.github.io/pg_net/
CREATE SCHEMA net;
CREATE FUNCTION net.http_get(
    url text, params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}', timeout_milliseconds integer DEFAULT 5000
) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1::bigint';
CREATE FUNCTION net.http_post(
    url text, body jsonb DEFAULT '{}', params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}',
    timeout_milliseconds integer DEFAULT 5000
) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1::bigint';
CREATE FUNCTION net.http_delete(
    url text, params jsonb DEFAULT '{}', headers jsonb DEFAULT '{}', timeout_milliseconds integer DEFAULT 5000,
    body jsonb DEFAULT NULL
) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT 1::bigint';
