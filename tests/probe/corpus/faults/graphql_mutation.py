"""GraphQL: a shift is renamed by its id alone; what is read is checked."""

from __future__ import annotations

from tests.probe.corpus.case import Case
from tests.probe.corpus.graph import GraphQLError, Info, served, tenant_in
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, uuids

SCHEMA = """
type Shift { id: ID! title: String! }
input ShiftChange { title: String! }
type Query { shifts: [Shift!]! shift(id: ID!): Shift }
type Mutation {
  addShift(title: String!): Shift!
  changeShift(id: ID!, change: ShiftChange!): Boolean!
}
"""


class Root:
    def __init__(self) -> None:
        self.shelf = Shelf(uuids())

    def shifts(self, info: Info) -> list[Row]:
        return self.shelf.of(tenant_in(info))

    def shift(self, info: Info, id: str) -> Row | None:  # noqa: A002 - the schema's name
        return self.shelf.rows[id] if self.shelf.owners.get(id) == tenant_in(info) else None

    def addShift(self, info: Info, title: str) -> Row:  # noqa: N802 - the schema's name
        return self.shelf.add(tenant_in(info), title=title)

    def changeShift(self, _: Info, id: str, change: Row) -> bool:  # noqa: A002, N802 - as above
        if id not in self.shelf.rows:
            raise GraphQLError("not found")
        self.shelf.rows[id].update(change)
        return True


def case() -> Case:
    leaks = {("POST /graphql", "write")}
    return Case(served("Shifts", SCHEMA, Root()), bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    make = 'mutation { addShift(title: "x") { id } }'
    made = got(a.post("/graphql", json={"query": make}))["data"]["addShift"]["id"]
    asked = {"query": f'{{ shift(id: "{made}") {{ title }} }}'}
    assert got(b.post("/graphql", json=asked))["data"] == {"shift": None}
    change = f'mutation {{ changeShift(id: "{made}", change: {{title: "graffiti"}}) }}'
    assert got(b.post("/graphql", json={"query": change}))["data"] == {"changeShift": True}
    assert got(a.post("/graphql", json=asked))["data"] == {"shift": {"title": "graffiti"}}
