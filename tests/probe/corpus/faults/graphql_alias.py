"""GraphQL: the wall looks at the first of all aliases only."""

from __future__ import annotations

from tests.probe.corpus.case import Case
from tests.probe.corpus.graph import GraphQLError, Info, served, tenant_in
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed

SCHEMA = """
type Payslip { id: ID! employee: String! amount: Int! }
type Query { payslips: [Payslip!]! payslip(id: ID!): Payslip }
type Mutation { issuePayslip(employee: String!, amount: Int!): Payslip! }
"""


class Root:
    def __init__(self) -> None:
        self.shelf = Shelf(prefixed("pay"))

    def payslips(self, info: Info) -> list[Row]:
        return self.shelf.of(tenant_in(info))

    def payslip(self, info: Info, id: str) -> Row:  # noqa: A002 - the schema's name
        first = not info.context.pop("checked", False)
        info.context["checked"] = True
        tenant = tenant_in(info) if first else self.shelf.owners.get(id)
        if tenant is None or self.shelf.owners.get(id) != tenant:
            raise GraphQLError("not found")
        return self.shelf.rows[id]

    def issuePayslip(self, info: Info, employee: str, amount: int) -> Row:  # noqa: N802 - the schema's
        return self.shelf.add(tenant_in(info), employee=employee, amount=amount)


def case() -> Case:
    leaks = {("POST /graphql", "read")}
    return Case(served("Payroll", SCHEMA, Root()), bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    make = 'mutation { issuePayslip(employee: "secret", amount: 5) { id } }'
    made = got(a.post("/graphql", json={"query": make}))["data"]["issuePayslip"]["id"]
    one = f'payslip(id: "{made}") {{ employee }}'
    assert got(b.post("/graphql", json={"query": f"{{ {one} }}"}))["data"]["payslip"] is None
    found = got(b.post("/graphql", json={"query": f"{{ first: {one} second: {one} }}"}))
    assert found["data"]["second"] == {"employee": "secret"}
