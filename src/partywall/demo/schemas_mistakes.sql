-- Four ordinary changes to Harbour with a schema for each organisation.

-- 1. Acme takes over a part of Globex. The import is long done; the grant stayed.
GRANT USAGE ON SCHEMA globex TO acme_app;
GRANT SELECT ON globex.projects, globex.tasks TO acme_app;

-- 2. One view for the bookkeeping of the whole house, granted to whoever asks for invoices.
CREATE VIEW shared.all_invoices AS
    SELECT 'acme' AS org, i.* FROM acme.invoices i
    UNION ALL
    SELECT 'globex' AS org, i.* FROM globex.invoices i;
GRANT SELECT ON shared.all_invoices TO acme_app, globex_app;

-- 3. One table for outgoing mail, because there is one mailer. A schema is no wall for a table
--    that stands outside it.
CREATE TABLE shared.outbox (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org        text NOT NULL,
    recipient  text NOT NULL,
    subject    text NOT NULL,
    body       text NOT NULL
);
INSERT INTO shared.outbox (org, recipient, subject, body) VALUES
    ('acme', 'wile@acme.example', 'Your invoice', 'Please find attached …'),
    ('globex', 'hank@globex.example', 'Your invoice', 'Please find attached …');
GRANT SELECT, INSERT, UPDATE, DELETE ON shared.outbox TO acme_app, globex_app;

-- 4. One function for all, which is told the schema by its caller.
CREATE FUNCTION shared.addresses(org name) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT email FROM %I.members', org);
END $$;
