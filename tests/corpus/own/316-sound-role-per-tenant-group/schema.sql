-- A login role per tenant, privileges through a group role, policies by CURRENT_USER.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE lib_owner NOLOGIN;
CREATE ROLE tenants NOLOGIN;
CREATE ROLE north LOGIN IN ROLE tenants;
CREATE ROLE south LOGIN IN ROLE tenants;
GRANT USAGE, CREATE ON SCHEMA public TO lib_owner;
GRANT USAGE ON SCHEMA public TO tenants;
CREATE TABLE public.books (
  library name NOT NULL DEFAULT CURRENT_USER,
  isbn text NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (library, isbn)
);
ALTER TABLE public.books OWNER TO lib_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.books TO tenants;
ALTER TABLE public.books ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.books FORCE ROW LEVEL SECURITY;
CREATE POLICY books_tenant ON public.books FOR ALL TO tenants
  USING (library = CURRENT_USER)
  WITH CHECK (library = CURRENT_USER);
CREATE TABLE public.readers (
  library name NOT NULL DEFAULT CURRENT_USER,
  card_no int NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (library, card_no)
);
ALTER TABLE public.readers OWNER TO lib_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.readers TO tenants;
ALTER TABLE public.readers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.readers FORCE ROW LEVEL SECURITY;
CREATE POLICY readers_tenant ON public.readers FOR ALL TO tenants
  USING (library = CURRENT_USER)
  WITH CHECK (library = CURRENT_USER);
CREATE TABLE public.loans (
  library name NOT NULL DEFAULT CURRENT_USER,
  isbn text NOT NULL,
  card_no int NOT NULL,
  since date NOT NULL DEFAULT current_date,
  remark text,
  PRIMARY KEY (library, isbn, since),
  FOREIGN KEY (library, isbn) REFERENCES public.books (library, isbn),
  FOREIGN KEY (library, card_no) REFERENCES public.readers (library, card_no)
);
ALTER TABLE public.loans OWNER TO lib_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.loans TO tenants;
ALTER TABLE public.loans ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.loans FORCE ROW LEVEL SECURITY;
CREATE POLICY loans_tenant ON public.loans FOR ALL TO tenants
  USING (library = CURRENT_USER)
  WITH CHECK (library = CURRENT_USER);
INSERT INTO public.books VALUES ('north','978','A-data');
INSERT INTO public.readers VALUES ('north',1,'A-data');
INSERT INTO public.loans VALUES ('north','978',1,'2024-01-01','A-data');
INSERT INTO public.books VALUES ('south','978','CANARY_B');
INSERT INTO public.readers VALUES ('south',1,'CANARY_B');
INSERT INTO public.loans VALUES ('south','978',1,'2024-01-01','CANARY_B');
