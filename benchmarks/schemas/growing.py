"""Grow a sound schema from a seed: every wall that a careful team would build stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

from benchmarks.schemas.drawing import (
    EXTRAS,
    IDS,
    TENANT_COLUMNS,
    USERS,
    WAYS,
    Way,
    names,
    quoted,
)
from partywall.survey.sql import literal

Kind: TypeAlias = Literal[
    "owned", "nested", "partitioned", "inherited", "shared", "registry", "members"
]
SMALLEST, LARGEST = 10, 60
OWNER = "keeper"
SHARES: dict[Kind, int] = {"owned": 10, "nested": 3, "partitioned": 2, "inherited": 1, "shared": 1}
WRITES = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the mutations need to know it.

    Attributes:
        name: qualified and quoted.
        tenant: its tenant column, quoted; "" where it has none.
        condition: what makes a row the session's own; "" where its place says it.
        below: partitions or heirs, which nobody has a right on.
        has: what of the optional kinds of columns is there.
    """

    name: str
    kind: Kind
    tenant: str = ""
    condition: str = ""
    parent: str = ""
    below: tuple[str, ...] = ()
    has: frozenset[str] = frozenset()
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Schema:
    """A grown schema: its statements, and how the application becomes each of its two tenants.

    Attributes:
        role: holds the rights; the logins are it, or become it.
        context: an expression for the session's tenant, where a policy has one.
        statements: run by a superuser in an empty database; roles of the server are in `roles`.
    """

    seed: int
    way: Way
    attacker: Literal["query", "sql"]
    key: str
    ids: tuple[str, str]
    role: str
    logins: tuple[str, str]
    enter: tuple[tuple[str, ...], tuple[str, ...]]
    context: str
    roles: tuple[str, ...]
    statements: tuple[str, ...]
    tables: tuple[Table, ...]
    views: tuple[tuple[str, str], ...] = ()
    functions: tuple[tuple[str, str], ...] = ()

    def of_kind(self, *kinds: Kind) -> list[Table]:
        """Its tables of these kinds."""
        return [table for table in self.tables if table.kind in kinds]


def grow(seed: int, size: int | None = None, way: Way | None = None) -> Schema:
    """The sound schema of *seed*, of *size* tables; the same every time."""
    random = Random(f"schema {seed}")  # noqa: S311 - to be the same every time, not secret
    drawn_way, drawn_size = WAYS[seed % len(WAYS)], random.randint(SMALLEST, LARGEST)
    return _Growth(random, seed, way or drawn_way).grown(size or drawn_size)


@dataclass
class _Growth:
    random: Random
    seed: int
    way: Way
    sql: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    views: list[tuple[str, str]] = field(default_factory=list)
    functions: list[tuple[str, str]] = field(default_factory=list)

    def grown(self, size: int) -> Schema:
        random = self.random
        self.key = "text" if self.way == "role" else random.choice(list(IDS))
        apart = self.way in {"role", "schema"}
        self.attacker: Literal["query", "sql"] = "sql" if apart and self.seed % 2 else "query"
        self.logins = ("app_one", "app_two") if apart else ("app", "app")
        self.role = {"claim": "authenticated", "role": "tenants"}.get(self.way, self.logins[0])
        self.ids = ("one", "two") if self.way == "schema" else IDS[self.key]
        if self.way == "role":
            self.ids = self.logins
        self.tenant = random.choice(TENANT_COLUMNS)
        self._ground()
        if self.way == "schema":
            self._schemas(size)
        else:
            self._rows(size)
        return Schema(
            self.seed, self.way, self.attacker, self.key, self.ids, self.role, self.logins,
            self._enter(), self.context, self._roles(), tuple(self.sql), tuple(self.tables),
            tuple(self.views), tuple(self.functions),
        )  # fmt: skip

    def _roles(self) -> tuple[str, ...]:
        made = [f"CREATE ROLE {OWNER} NOLOGIN"]
        made += [f"CREATE ROLE {login} LOGIN" for login in dict.fromkeys(self.logins)]
        if self.role not in self.logins:
            made += [f"CREATE ROLE {self.role} NOLOGIN"]
            made += [f"GRANT {self.role} TO {login}" for login in dict.fromkeys(self.logins)]
        return tuple(made)

    def _enter(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        def of(tenant: str, user: str) -> tuple[str, ...]:
            claims = f'{{"sub": "{user}", "tenant": "{tenant}"}}'
            return {
                "setting": (f"SELECT set_config('app.tenant', {literal(tenant)}, true)",),
                "claim": (
                    "SET LOCAL ROLE authenticated",
                    f"SELECT set_config('request.jwt.claims', {literal(claims)}, true)",
                ),
                "membership": (f"SELECT set_config('app.user', {literal(user)}, true)",),
                "role": (),
                "schema": (f"SET LOCAL search_path = {tenant}, public",),
            }[self.way]

        one, two = zip(self.ids, USERS, strict=True)
        return of(*one), of(*two)

    def _ground(self) -> None:
        """What all tables stand on: types, shared tables, and who the session's tenant is."""
        self.sql += [
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
            "CREATE TYPE public.state AS ENUM ('draft', 'open', 'done')",
            "CREATE DOMAIN public.mail AS text CHECK (VALUE LIKE '%_@_%')",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}",
            (
                "CREATE TABLE public.countries (code text PRIMARY KEY, "
                "number integer GENERATED ALWAYS AS IDENTITY, name text NOT NULL)"
            ),
            "CREATE SEQUENCE public.batch",
        ]
        holders = [self.role] if self.way != "schema" else list(self.logins)
        for holder in holders:
            self.sql.append(f"GRANT USAGE ON SCHEMA public TO {holder}")
            self.sql.append(f"GRANT SELECT ON public.countries TO {holder}")
        self.tables.append(Table("public.countries", "shared", writable=False))
        self.context = {
            "setting": f"nullif(current_setting('app.tenant', true), '')::{self.key}",
            "claim": "(nullif(current_setting('request.jwt.claims', true), '')::jsonb "
            f"->> 'tenant')::{self.key}",
            "role": "session_user::text",
        }.get(self.way, "")
        if self.context and self.random.random() < 0.5 and self.way != "role":  # noqa: PLR2004 - half
            self.sql.append(
                f"CREATE FUNCTION public.current_tenant() RETURNS {self.key} LANGUAGE sql STABLE "
                f"RETURN {self.context}"
            )
            self.context = "public.current_tenant()"

    def _own(self, tenant: str) -> str:
        """What makes a row with the column *tenant* the session's own."""
        if self.way == "membership":
            return (
                f"{tenant} IN (SELECT m.tenant FROM public.members m WHERE m.user_id = "
                "(SELECT nullif(current_setting('app.user', true), '')::uuid))"
            )
        return f"{tenant} = (SELECT {self.context})"

    def _rows(self, size: int) -> None:
        """Row security: one set of tables for all tenants."""
        self._registry()
        taken = len(self.tables)
        for name in names(self.random, size - taken):
            kind = self.random.choices(list(SHARES), list(SHARES.values()))[0]
            parents = [t for t in self.tables if t.kind == "owned"]
            if kind == "nested" and parents:
                self._nested(f"public.{quoted(name)}", self.random.choice(parents))
            elif kind == "shared":
                self._shared(f"public.{quoted(name)}")
            else:
                self._owned(name, "owned" if kind == "nested" else kind, parents)
        self._above()

    def _registry(self) -> None:
        own = self._own("id")
        self.sql.append(f"CREATE TABLE public.tenants (id {self.key} PRIMARY KEY, name text)")
        if self.way == "membership":
            self.sql.append(
                f"CREATE TABLE public.members (tenant {self.key} NOT NULL REFERENCES public.tenants"
                ", user_id uuid NOT NULL, PRIMARY KEY (tenant, user_id))"
            )
            mine = "user_id = (SELECT nullif(current_setting('app.user', true), '')::uuid)"
            self._walled("public.members", mine, "SELECT")
            self.tables.append(Table("public.members", "members", "tenant", mine, writable=False))
            for tenant, user in zip(self.ids, USERS, strict=True):
                self.sql.append(f"INSERT INTO public.tenants VALUES ({literal(tenant)}, 'x')")
                self.sql.append(
                    f"INSERT INTO public.members VALUES ({literal(tenant)}, {literal(user)})"
                )
        self._walled("public.tenants", own, "SELECT")
        self.tables.append(Table("public.tenants", "registry", "id", own, writable=False))

    def _owned(self, name: str, kind: Kind, parents: list[Table]) -> None:
        table, tenant, random = f"public.{quoted(name)}", quoted(self.tenant), self.random
        registered = " REFERENCES public.tenants (id)" if random.random() < 0.3 else ""  # noqa: PLR2004 - some
        default = f" DEFAULT {self.context}" if self.context and random.random() < 0.5 else ""  # noqa: PLR2004 - half
        lines = [
            f"{tenant} {self.key} NOT NULL{default}{registered}",
            "id uuid NOT NULL DEFAULT gen_random_uuid()",
            "title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200)",
            f"PRIMARY KEY ({tenant}, id)",
        ]
        has = set()
        for extra in random.sample(EXTRAS, k=random.randint(1, 5)):
            if kind == "partitioned" and extra.constraint.startswith("EXCLUDE"):
                continue
            lines += [extra.column.format(t=tenant)]
            lines += [extra.constraint.format(t=tenant)] if extra.constraint else []
            has.add(extra.column.split()[0])
        if kind == "owned":
            lines.append("UNIQUE (id)")
        parent = random.choice(parents) if parents and random.random() < 0.5 else None  # noqa: PLR2004 - half
        if parent:
            action = random.choice(["CASCADE", "RESTRICT", "NO ACTION"])
            lines += [
                "parent_id uuid",
                (
                    f"FOREIGN KEY ({tenant}, parent_id) REFERENCES {parent.name} "
                    f"({parent.tenant}, id) ON DELETE {action}"
                ),
            ]
        spread = f" PARTITION BY HASH ({tenant})" if kind == "partitioned" else ""
        self.sql.append(f"CREATE TABLE {table} ({', '.join(lines)}){spread}")
        self.sql.append(f"CREATE INDEX ON {table} ({tenant})")
        below = self._below(name, table, kind)
        writable = random.random() < 0.9  # noqa: PLR2004 - most
        condition = self._own(tenant)
        self._walled(table, condition, WRITES if writable else "SELECT")
        self.tables.append(
            Table(table, kind, tenant, condition, parent.name if parent else "", below,
                  frozenset(has), writable)
        )  # fmt: skip
        if writable and random.random() < 0.2:  # noqa: PLR2004 - some
            self._trigger(table)

    def _below(self, name: str, table: str, kind: Kind) -> tuple[str, ...]:
        """Partitions or an heir: nobody may reach them but through the table above."""
        made = []
        if kind == "partitioned":
            count = self.random.randint(2, 3)
            for rest in range(count):
                made.append(f"public.{quoted(f'{name[:40]}_p{rest}')}")
                self.sql.append(
                    f"CREATE TABLE {made[-1]} PARTITION OF {table} "
                    f"FOR VALUES WITH (MODULUS {count}, REMAINDER {rest})"
                )
        if kind == "inherited":
            made.append(f"public.{quoted(f'{name[:40]}_old')}")
            self.sql.append(f"CREATE TABLE {made[-1]} (closed_at date) INHERITS ({table})")
        self.sql += [f"ALTER TABLE {one} OWNER TO {OWNER}" for one in made]
        return tuple(made)

    def _nested(self, table: str, parent: Table) -> None:
        """A table whose rows are their parent's tenant's."""
        self.sql.append(
            f"CREATE TABLE {table} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), parent_id uuid "
            f"NOT NULL REFERENCES {parent.name} (id) ON DELETE CASCADE, title text NOT NULL)"
        )
        self.sql.append(f"CREATE INDEX ON {table} (parent_id)")
        mine = table.removeprefix("public.")  # the parent may have a parent_id as well
        own = f"EXISTS (SELECT FROM {parent.name} p WHERE p.id = {mine}.parent_id)"
        self._walled(table, own, WRITES)
        self.tables.append(Table(table, "nested", "", own, parent.name))

    def _shared(self, table: str) -> None:
        self.sql.append(f"CREATE TABLE {table} (code text PRIMARY KEY, label text NOT NULL)")
        self.sql.append(f"ALTER TABLE {table} OWNER TO {OWNER}")
        self.sql.append(f"GRANT SELECT ON {table} TO {self.role}")
        self.tables.append(Table(table, "shared", writable=False))

    def _walled(self, table: str, condition: str, rights: str) -> None:
        """Owner, rights, row security and policies of one of several sound forms."""
        to = self.random.choice(["", f" TO {self.role}"])
        self.sql += [
            f"ALTER TABLE {table} OWNER TO {OWNER}",
            f"GRANT {rights} ON {table} TO {self.role}",
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        ]
        form = self.random.choice(["using", "both", "each", "floor"])
        if form == "each":
            for command, clause in {
                "SELECT": f"USING ({condition})",
                "INSERT": f"WITH CHECK ({condition})",
                "UPDATE": f"USING ({condition}) WITH CHECK ({condition})",
                "DELETE": f"USING ({condition})",
            }.items():
                policy = f"own_{command.lower()}"
                self.sql.append(f"CREATE POLICY {policy} ON {table} FOR {command}{to} {clause}")
            return
        check = f" WITH CHECK ({condition})" if form != "using" else ""
        self.sql.append(f"CREATE POLICY own ON {table}{to} USING ({condition}){check}")
        if form == "floor":
            self.sql.append(
                f"CREATE POLICY floor ON {table} AS RESTRICTIVE{to} USING ({condition})"
            )

    def _trigger(self, table: str) -> None:
        if not any("FUNCTION public.tidy" in statement for statement in self.sql):
            self.sql.append(
                "CREATE FUNCTION public.tidy() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.title := btrim(NEW.title); RETURN NEW; END $$"
            )
        self.sql.append(
            f"CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW "
            "EXECUTE FUNCTION public.tidy()"
        )

    def _above(self) -> None:
        """Views and functions over some of the tables, and what nobody may reach."""
        chosen = [t for t in self.tables if t.kind in {"owned", "partitioned"}]
        for number, table in enumerate(self.random.sample(chosen, k=min(3, len(chosen)))):
            view, function = f"public.seen_{number}", f"public.listed_{number}"
            self.sql += [
                f"CREATE VIEW {view} WITH (security_invoker = true) AS SELECT * FROM {table.name}",
                f"ALTER VIEW {view} OWNER TO {OWNER}",
                f"GRANT SELECT ON {view} TO {self.role}",
                (
                    f"CREATE FUNCTION {function}() RETURNS SETOF text LANGUAGE sql STABLE SECURITY "
                    f"DEFINER SET search_path = pg_catalog, pg_temp "
                    f"AS {literal(f'SELECT title FROM {table.name} WHERE {table.condition}')}"
                ),
                f"REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {function}() TO {self.role}",
            ]
            self.views.append((view, table.name))
            self.functions.append((f"{function}()", table.name))
        barred = self.random.choice(chosen)
        self.sql += [
            (
                f"CREATE VIEW public.barred WITH (security_barrier = true) AS "
                f"SELECT id, title FROM {barred.name} WHERE {barred.condition}"
            ),
            f"GRANT SELECT ON public.barred TO {self.role}",
            f"CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) FROM {barred.name}",
            f"ALTER MATERIALIZED VIEW public.totals OWNER TO {OWNER}",
        ]

    def _schemas(self, size: int) -> None:
        """Schema per tenant: the same tables once for each, and a login for each."""
        plan = [
            (name, [e for e in self.random.sample(EXTRAS, k=3) if not e.constraint])
            for name in names(self.random, (size - 1) // 2)
        ]
        for place, login in zip(self.ids, self.logins, strict=True):
            self.sql.append(f"CREATE SCHEMA {place}")
            self.sql.append(f"GRANT USAGE ON SCHEMA {place} TO {login}")
            made: list[str] = []
            for number, (name, extras) in enumerate(plan):
                table = f"{place}.{quoted(name)}"
                lines = ["id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "title text"]
                lines += [extra.column.format() for extra in extras]
                parent = made[number // 2] if made and number % 3 == 0 else ""
                lines += [f"parent_id bigint REFERENCES {parent} (id)"] if parent else []
                self.sql.append(f"CREATE TABLE {table} ({', '.join(lines)})")
                self.sql.append(f"ALTER TABLE {table} OWNER TO {OWNER}")
                self.sql.append(f"GRANT {WRITES} ON {table} TO {login}")
                made.append(table)
                self.tables.append(Table(table, "owned"))
            self.sql.append(f"CREATE VIEW {place}.seen AS SELECT * FROM {made[0]}")
            self.sql.append(f"GRANT SELECT ON {place}.seen TO {login}")
            self.views.append((f"{place}.seen", made[0]))
