-- SECURITY DEFINER functions and a procedure that take numbers and text, filter by the context themselves, quote their dynamic SQL, and are pinned; number ranges per company instead of sequences.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE erp_owner NOLOGIN;
CREATE ROLE erp LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO erp_owner;
GRANT USAGE ON SCHEMA public TO erp;
CREATE TABLE public.number_ranges (
  company bigint NOT NULL,
  kind text NOT NULL,
  last_no bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (company, kind)
);
ALTER TABLE public.number_ranges OWNER TO erp_owner;
GRANT SELECT ON public.number_ranges TO erp;
ALTER TABLE public.number_ranges ENABLE ROW LEVEL SECURITY;
CREATE POLICY number_ranges_tenant ON public.number_ranges FOR ALL TO erp
  USING (company = (SELECT current_setting('erp.company', true)::bigint))
  WITH CHECK (company = (SELECT current_setting('erp.company', true)::bigint));
CREATE TABLE public.jobs (
  company bigint NOT NULL,
  no bigint NOT NULL,
  state text NOT NULL DEFAULT 'open',
  subject text NOT NULL,
  PRIMARY KEY (company, no)
);
ALTER TABLE public.jobs OWNER TO erp_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.jobs TO erp;
ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY jobs_tenant ON public.jobs FOR ALL TO erp
  USING (company = (SELECT current_setting('erp.company', true)::bigint))
  WITH CHECK (company = (SELECT current_setting('erp.company', true)::bigint));
CREATE FUNCTION public.next_no(p_kind text) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO public.number_ranges AS r (company, kind, last_no) VALUES (current_setting('erp.company')::bigint, p_kind, 1)
  ON CONFLICT (company, kind) DO UPDATE SET last_no = r.last_no + 1 RETURNING last_no $$;
ALTER FUNCTION public.next_no(text) OWNER TO erp_owner;
REVOKE EXECUTE ON FUNCTION public.next_no(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.next_no(text) TO erp;
CREATE FUNCTION public.get_job(p_no bigint) RETURNS public.jobs LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE found_job public.jobs;
BEGIN
  SELECT * INTO found_job FROM public.jobs WHERE no = p_no AND company = current_setting('erp.company')::bigint;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such job' USING ERRCODE = 'no_data_found'; END IF;
  RETURN found_job;
END $$;
ALTER FUNCTION public.get_job(bigint) OWNER TO erp_owner;
REVOKE EXECUTE ON FUNCTION public.get_job(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.get_job(bigint) TO erp;
CREATE FUNCTION public.search_jobs(p_text text) RETURNS SETOF public.jobs LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT * FROM public.jobs WHERE company = %L AND subject ILIKE $1', current_setting('erp.company')::bigint) USING '%' || p_text || '%';
END $$;
ALTER FUNCTION public.search_jobs(text) OWNER TO erp_owner;
REVOKE EXECUTE ON FUNCTION public.search_jobs(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.search_jobs(text) TO erp;
CREATE PROCEDURE public.close_job(p_no bigint) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ UPDATE public.jobs SET state = 'closed' WHERE no = p_no AND company = current_setting('erp.company')::bigint $$;
ALTER PROCEDURE public.close_job(bigint) OWNER TO erp_owner;
REVOKE EXECUTE ON PROCEDURE public.close_job(bigint) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE public.close_job(bigint) TO erp;
CREATE FUNCTION public.job_count(p_company bigint) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ SELECT count(*) FROM public.jobs WHERE company = p_company AND p_company = current_setting('erp.company')::bigint $$;
ALTER FUNCTION public.job_count(bigint) OWNER TO erp_owner;
REVOKE EXECUTE ON FUNCTION public.job_count(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.job_count(bigint) TO erp;
CREATE FUNCTION public.wipe_company(p_company bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ DELETE FROM public.jobs WHERE company = p_company $$;
REVOKE EXECUTE ON FUNCTION public.wipe_company(bigint) FROM PUBLIC;
INSERT INTO public.number_ranges VALUES (100,'job',1), (200,'job',7);
INSERT INTO public.jobs VALUES (100,1,'open','A-data'), (200,7,'open','CANARY_B');
