-- A CRM of 22 tables: composite keys and foreign keys led by org_id, FORCE, restrictive floors, ON DELETE CASCADE inside the tenant.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE crm_owner NOLOGIN;
CREATE ROLE crm_app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO crm_owner;
GRANT USAGE ON SCHEMA public TO crm_app;
CREATE TABLE public.users (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  email text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, email)
);
ALTER TABLE public.users OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.users TO crm_app;
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.users FORCE ROW LEVEL SECURITY;
CREATE POLICY users_tenant ON public.users FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY users_floor ON public.users AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.teams (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, name)
);
ALTER TABLE public.teams OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.teams TO crm_app;
ALTER TABLE public.teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.teams FORCE ROW LEVEL SECURITY;
CREATE POLICY teams_tenant ON public.teams FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY teams_floor ON public.teams AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.team_members (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  team_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL DEFAULT 'member',
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, team_id) REFERENCES public.teams (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, user_id) REFERENCES public.users (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.team_members OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.team_members TO crm_app;
ALTER TABLE public.team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.team_members FORCE ROW LEVEL SECURITY;
CREATE POLICY team_members_tenant ON public.team_members FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY team_members_floor ON public.team_members AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.companies (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.companies OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.companies TO crm_app;
ALTER TABLE public.companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.companies FORCE ROW LEVEL SECURITY;
CREATE POLICY companies_tenant ON public.companies FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY companies_floor ON public.companies AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.contacts (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  company_id uuid NOT NULL,
  full_name text NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, company_id) REFERENCES public.companies (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.contacts OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.contacts TO crm_app;
ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY contacts_tenant ON public.contacts FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY contacts_floor ON public.contacts AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.pipelines (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.pipelines OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.pipelines TO crm_app;
ALTER TABLE public.pipelines ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pipelines FORCE ROW LEVEL SECURITY;
CREATE POLICY pipelines_tenant ON public.pipelines FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY pipelines_floor ON public.pipelines AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.stages (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  pipeline_id uuid NOT NULL,
  position int NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, pipeline_id, position),
  FOREIGN KEY (org_id, pipeline_id) REFERENCES public.pipelines (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.stages OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.stages TO crm_app;
ALTER TABLE public.stages ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.stages FORCE ROW LEVEL SECURITY;
CREATE POLICY stages_tenant ON public.stages FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY stages_floor ON public.stages AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.deals (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  stage_id uuid NOT NULL,
  company_id uuid NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, stage_id) REFERENCES public.stages (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, company_id) REFERENCES public.companies (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.deals OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.deals TO crm_app;
ALTER TABLE public.deals ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.deals FORCE ROW LEVEL SECURITY;
CREATE POLICY deals_tenant ON public.deals FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY deals_floor ON public.deals AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.activities (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  deal_id uuid NOT NULL,
  user_id uuid NOT NULL,
  summary text NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, deal_id) REFERENCES public.deals (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, user_id) REFERENCES public.users (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.activities OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.activities TO crm_app;
ALTER TABLE public.activities ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.activities FORCE ROW LEVEL SECURITY;
CREATE POLICY activities_tenant ON public.activities FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY activities_floor ON public.activities AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.notes (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  deal_id uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, deal_id) REFERENCES public.deals (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.notes OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO crm_app;
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.notes FORCE ROW LEVEL SECURITY;
CREATE POLICY notes_tenant ON public.notes FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY notes_floor ON public.notes AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.tags (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  label text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, label)
);
ALTER TABLE public.tags OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tags TO crm_app;
ALTER TABLE public.tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tags_tenant ON public.tags FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY tags_floor ON public.tags AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.contact_tags (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  contact_id uuid NOT NULL,
  tag_id uuid NOT NULL,
  added_on date NOT NULL DEFAULT current_date,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, tag_id) REFERENCES public.tags (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.contact_tags OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.contact_tags TO crm_app;
ALTER TABLE public.contact_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.contact_tags FORCE ROW LEVEL SECURITY;
CREATE POLICY contact_tags_tenant ON public.contact_tags FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY contact_tags_floor ON public.contact_tags AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.products (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  sku text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, sku)
);
ALTER TABLE public.products OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.products TO crm_app;
ALTER TABLE public.products ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.products FORCE ROW LEVEL SECURITY;
CREATE POLICY products_tenant ON public.products FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY products_floor ON public.products AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.quotes (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  deal_id uuid NOT NULL,
  number text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, number),
  FOREIGN KEY (org_id, deal_id) REFERENCES public.deals (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.quotes OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.quotes TO crm_app;
ALTER TABLE public.quotes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.quotes FORCE ROW LEVEL SECURITY;
CREATE POLICY quotes_tenant ON public.quotes FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY quotes_floor ON public.quotes AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.quote_lines (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  quote_id uuid NOT NULL,
  product_id uuid NOT NULL,
  quantity int NOT NULL DEFAULT 1 CHECK (quantity > 0),
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, quote_id) REFERENCES public.quotes (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, product_id) REFERENCES public.products (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.quote_lines OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.quote_lines TO crm_app;
ALTER TABLE public.quote_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.quote_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY quote_lines_tenant ON public.quote_lines FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY quote_lines_floor ON public.quote_lines AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.invoices (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  quote_id uuid NOT NULL,
  number text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, number),
  FOREIGN KEY (org_id, quote_id) REFERENCES public.quotes (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.invoices OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO crm_app;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY invoices_tenant ON public.invoices FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY invoices_floor ON public.invoices AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.invoice_lines (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL,
  product_id uuid NOT NULL,
  cents bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, invoice_id) REFERENCES public.invoices (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, product_id) REFERENCES public.products (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.invoice_lines OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoice_lines TO crm_app;
ALTER TABLE public.invoice_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.invoice_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY invoice_lines_tenant ON public.invoice_lines FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY invoice_lines_floor ON public.invoice_lines AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.payments (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL,
  reference text NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, invoice_id) REFERENCES public.invoices (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.payments OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.payments TO crm_app;
ALTER TABLE public.payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.payments FORCE ROW LEVEL SECURITY;
CREATE POLICY payments_tenant ON public.payments FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY payments_floor ON public.payments AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.files (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  deal_id uuid NOT NULL,
  path text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, path),
  FOREIGN KEY (org_id, deal_id) REFERENCES public.deals (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.files OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.files TO crm_app;
ALTER TABLE public.files ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.files FORCE ROW LEVEL SECURITY;
CREATE POLICY files_tenant ON public.files FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY files_floor ON public.files AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.comments (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  note_id uuid NOT NULL,
  user_id uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, note_id) REFERENCES public.notes (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, user_id) REFERENCES public.users (org_id, id) ON DELETE CASCADE
);
ALTER TABLE public.comments OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.comments TO crm_app;
ALTER TABLE public.comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.comments FORCE ROW LEVEL SECURITY;
CREATE POLICY comments_tenant ON public.comments FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY comments_floor ON public.comments AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.webhooks (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  url text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.webhooks OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.webhooks TO crm_app;
ALTER TABLE public.webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY webhooks_tenant ON public.webhooks FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY webhooks_floor ON public.webhooks AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE TABLE public.settings (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  key text NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, key)
);
ALTER TABLE public.settings OWNER TO crm_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.settings TO crm_app;
ALTER TABLE public.settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.settings FORCE ROW LEVEL SECURITY;
CREATE POLICY settings_tenant ON public.settings FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
CREATE POLICY settings_floor ON public.settings AS RESTRICTIVE FOR ALL TO crm_app
  USING (org_id = (SELECT current_setting('crm.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('crm.org_id', true)::int));
INSERT INTO public.users VALUES (1, '00000000-0000-4000-8001-000000000001', 'A-data');
INSERT INTO public.teams VALUES (1, '00000000-0000-4000-8001-000000000002', 'A-data');
INSERT INTO public.team_members VALUES (1, '00000000-0000-4000-8001-000000000003', '00000000-0000-4000-8001-000000000002', '00000000-0000-4000-8001-000000000001', 'A-data');
INSERT INTO public.companies VALUES (1, '00000000-0000-4000-8001-000000000004', 'A-data');
INSERT INTO public.contacts VALUES (1, '00000000-0000-4000-8001-000000000005', '00000000-0000-4000-8001-000000000004', 'A-data');
INSERT INTO public.pipelines VALUES (1, '00000000-0000-4000-8001-000000000006', 'A-data');
INSERT INTO public.stages VALUES (1, '00000000-0000-4000-8001-000000000007', '00000000-0000-4000-8001-000000000006', 1);
INSERT INTO public.deals VALUES (1, '00000000-0000-4000-8001-000000000008', '00000000-0000-4000-8001-000000000007', '00000000-0000-4000-8001-000000000004', 'A-data');
INSERT INTO public.activities VALUES (1, '00000000-0000-4000-8001-000000000009', '00000000-0000-4000-8001-000000000008', '00000000-0000-4000-8001-000000000001', 'A-data');
INSERT INTO public.notes VALUES (1, '00000000-0000-4000-8001-000000000010', '00000000-0000-4000-8001-000000000008', 'A-data');
INSERT INTO public.tags VALUES (1, '00000000-0000-4000-8001-000000000011', 'A-data');
INSERT INTO public.contact_tags VALUES (1, '00000000-0000-4000-8001-000000000012', '00000000-0000-4000-8001-000000000005', '00000000-0000-4000-8001-000000000011', DEFAULT);
INSERT INTO public.products VALUES (1, '00000000-0000-4000-8001-000000000013', 'A-data');
INSERT INTO public.quotes VALUES (1, '00000000-0000-4000-8001-000000000014', '00000000-0000-4000-8001-000000000008', 'A-data');
INSERT INTO public.quote_lines VALUES (1, '00000000-0000-4000-8001-000000000015', '00000000-0000-4000-8001-000000000014', '00000000-0000-4000-8001-000000000013', DEFAULT);
INSERT INTO public.invoices VALUES (1, '00000000-0000-4000-8001-000000000016', '00000000-0000-4000-8001-000000000014', 'A-data');
INSERT INTO public.invoice_lines VALUES (1, '00000000-0000-4000-8001-000000000017', '00000000-0000-4000-8001-000000000016', '00000000-0000-4000-8001-000000000013', DEFAULT);
INSERT INTO public.payments VALUES (1, '00000000-0000-4000-8001-000000000018', '00000000-0000-4000-8001-000000000016', 'A-data');
INSERT INTO public.files VALUES (1, '00000000-0000-4000-8001-000000000019', '00000000-0000-4000-8001-000000000008', 'A-data');
INSERT INTO public.comments VALUES (1, '00000000-0000-4000-8001-000000000020', '00000000-0000-4000-8001-000000000010', '00000000-0000-4000-8001-000000000001', 'A-data');
INSERT INTO public.webhooks VALUES (1, '00000000-0000-4000-8001-000000000021', 'A-data');
INSERT INTO public.settings VALUES (1, '00000000-0000-4000-8001-000000000022', 'A-data');
INSERT INTO public.users VALUES (2, '00000000-0000-4000-8002-000000000001', 'CANARY_B');
INSERT INTO public.teams VALUES (2, '00000000-0000-4000-8002-000000000002', 'CANARY_B');
INSERT INTO public.team_members VALUES (2, '00000000-0000-4000-8002-000000000003', '00000000-0000-4000-8002-000000000002', '00000000-0000-4000-8002-000000000001', 'CANARY_B');
INSERT INTO public.companies VALUES (2, '00000000-0000-4000-8002-000000000004', 'CANARY_B');
INSERT INTO public.contacts VALUES (2, '00000000-0000-4000-8002-000000000005', '00000000-0000-4000-8002-000000000004', 'CANARY_B');
INSERT INTO public.pipelines VALUES (2, '00000000-0000-4000-8002-000000000006', 'CANARY_B');
INSERT INTO public.stages VALUES (2, '00000000-0000-4000-8002-000000000007', '00000000-0000-4000-8002-000000000006', 1);
INSERT INTO public.deals VALUES (2, '00000000-0000-4000-8002-000000000008', '00000000-0000-4000-8002-000000000007', '00000000-0000-4000-8002-000000000004', 'CANARY_B');
INSERT INTO public.activities VALUES (2, '00000000-0000-4000-8002-000000000009', '00000000-0000-4000-8002-000000000008', '00000000-0000-4000-8002-000000000001', 'CANARY_B');
INSERT INTO public.notes VALUES (2, '00000000-0000-4000-8002-000000000010', '00000000-0000-4000-8002-000000000008', 'CANARY_B');
INSERT INTO public.tags VALUES (2, '00000000-0000-4000-8002-000000000011', 'CANARY_B');
INSERT INTO public.contact_tags VALUES (2, '00000000-0000-4000-8002-000000000012', '00000000-0000-4000-8002-000000000005', '00000000-0000-4000-8002-000000000011', DEFAULT);
INSERT INTO public.products VALUES (2, '00000000-0000-4000-8002-000000000013', 'CANARY_B');
INSERT INTO public.quotes VALUES (2, '00000000-0000-4000-8002-000000000014', '00000000-0000-4000-8002-000000000008', 'CANARY_B');
INSERT INTO public.quote_lines VALUES (2, '00000000-0000-4000-8002-000000000015', '00000000-0000-4000-8002-000000000014', '00000000-0000-4000-8002-000000000013', DEFAULT);
INSERT INTO public.invoices VALUES (2, '00000000-0000-4000-8002-000000000016', '00000000-0000-4000-8002-000000000014', 'CANARY_B');
INSERT INTO public.invoice_lines VALUES (2, '00000000-0000-4000-8002-000000000017', '00000000-0000-4000-8002-000000000016', '00000000-0000-4000-8002-000000000013', DEFAULT);
INSERT INTO public.payments VALUES (2, '00000000-0000-4000-8002-000000000018', '00000000-0000-4000-8002-000000000016', 'CANARY_B');
INSERT INTO public.files VALUES (2, '00000000-0000-4000-8002-000000000019', '00000000-0000-4000-8002-000000000008', 'CANARY_B');
INSERT INTO public.comments VALUES (2, '00000000-0000-4000-8002-000000000020', '00000000-0000-4000-8002-000000000010', '00000000-0000-4000-8002-000000000001', 'CANARY_B');
INSERT INTO public.webhooks VALUES (2, '00000000-0000-4000-8002-000000000021', 'CANARY_B');
INSERT INTO public.settings VALUES (2, '00000000-0000-4000-8002-000000000022', 'CANARY_B');
