-- Documents numbered per firm by a trigger over a protected counter table, keys of integers led by the firm, cascades inside it.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.firm_counters (
  firm_id bigint NOT NULL,
  series text NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (firm_id, series)
);
ALTER TABLE public.firm_counters OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.firm_counters TO app_user;
ALTER TABLE public.firm_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.firm_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY firm_counters_tenant ON public.firm_counters FOR ALL TO app_user
  USING (firm_id = (SELECT NULLIF(current_setting('app.firm', true), '')::bigint))
  WITH CHECK (firm_id = (SELECT NULLIF(current_setting('app.firm', true), '')::bigint));
CREATE TABLE public.matters (
  firm_id bigint NOT NULL,
  matter_no bigint NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (firm_id, matter_no)
);
ALTER TABLE public.matters OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.matters TO app_user;
ALTER TABLE public.matters ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.matters FORCE ROW LEVEL SECURITY;
CREATE POLICY matters_tenant ON public.matters FOR ALL TO app_user
  USING (firm_id = (SELECT NULLIF(current_setting('app.firm', true), '')::bigint))
  WITH CHECK (firm_id = (SELECT NULLIF(current_setting('app.firm', true), '')::bigint));
CREATE TABLE public.documents (
  firm_id bigint NOT NULL,
  matter_no bigint NOT NULL,
  doc_no bigint NOT NULL,
  name text NOT NULL,
  checksum uuid NOT NULL DEFAULT gen_random_uuid(),
  PRIMARY KEY (firm_id, matter_no, doc_no),
  UNIQUE (checksum),
  FOREIGN KEY (firm_id, matter_no) REFERENCES public.matters (firm_id, matter_no) ON DELETE CASCADE ON UPDATE CASCADE
);
ALTER TABLE public.documents OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.documents TO app_user;
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.documents FORCE ROW LEVEL SECURITY;
CREATE POLICY documents_tenant ON public.documents FOR ALL TO app_user
  USING (firm_id = (SELECT NULLIF(current_setting('app.firm', true), '')::bigint))
  WITH CHECK (firm_id = (SELECT NULLIF(current_setting('app.firm', true), '')::bigint));
CREATE FUNCTION public.number_matter() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO public.firm_counters AS c VALUES (NEW.firm_id, 'matter', 1) ON CONFLICT (firm_id, series) DO UPDATE SET value = c.value + 1 RETURNING value INTO NEW.matter_no;
  RETURN NEW;
END $$;
CREATE TRIGGER number_matter BEFORE INSERT ON public.matters FOR EACH ROW WHEN (NEW.matter_no IS NULL) EXECUTE FUNCTION public.number_matter();
INSERT INTO public.firm_counters VALUES (11,'matter',1), (12,'matter',1);
INSERT INTO public.matters VALUES (11,1,'A-data'), (12,1,'CANARY_B');
INSERT INTO public.documents VALUES (11,1,1,'A-data'), (12,1,1,'CANARY_B');
