-- Eight ordinary changes to Harbour. Each has passed somebody's review.

-- 1. Finance asks for the customer's amount as text, and the migration runs as the superuser: the
--    view is made anew, without security_invoker. Now its owner reads for everybody.
DROP VIEW open_invoices;
CREATE VIEW open_invoices AS
    SELECT i.org_id, i.id, i.number, i.customer, sum(l.amount)::text || ' EUR' AS amount
    FROM invoices i JOIN invoice_lines l USING (org_id)
    WHERE l.invoice_id = i.id AND i.state = 'open'
    GROUP BY i.org_id, i.id, i.number, i.customer;
GRANT SELECT ON open_invoices TO app;

-- 2. The upload service changes its own table at start, so the application owns it. FORCE was in
--    the way of a back-fill. Policies do not bind an owner.
ALTER TABLE files OWNER TO app;
ALTER TABLE files NO FORCE ROW LEVEL SECURITY;

-- 3. Comments arrive by e-mail, from a worker that knows no organisation. "Let it insert."
CREATE POLICY from_mail ON comments FOR INSERT TO app WITH CHECK (true);

-- 4. The nightly report ran into an error without a context. "Then let it see all."
--    A pooled connection that forgets its context sees all, too.
CREATE POLICY nightly ON api_keys FOR SELECT TO app
    USING (coalesce(current_setting('app.org_id', true), '') = '');

-- 5. The ORM wants simple keys. A task may now hang on another organisation's project, and goes
--    when that project goes.
ALTER TABLE projects ADD UNIQUE (id);
ALTER TABLE tasks DROP CONSTRAINT tasks_project,
    ADD CONSTRAINT tasks_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE;

-- 6. "An e-mail address is unique." Then a rejected invitation tells who is a customer elsewhere.
ALTER TABLE members ADD UNIQUE (email);

-- 7. A directory for the mobile client, fast because it bypasses the policies, for the organisation
--    that the client names.
CREATE FUNCTION directory(org uuid) RETURNS TABLE (name text, email text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC SELECT m.name, m.email FROM members m WHERE m.org_id = org; END;

-- 8. Invoice numbers from one sequence: the gaps say how much the others sell.
CREATE SEQUENCE invoice_numbers;
ALTER TABLE invoices ALTER COLUMN number SET DEFAULT nextval('invoice_numbers');
GRANT USAGE ON SEQUENCE invoice_numbers TO app;
