"""GraphQL: `note(id:)` is checked, `node(id:)` is not."""

from __future__ import annotations

from tests.probe.corpus.case import Case
from tests.probe.corpus.graph import GraphQLError, Info, served, tenant_in
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed

SCHEMA = """
interface Node { id: ID! }
type Note implements Node { id: ID! title: String! text: String! }
type Query { notes: [Note!]! note(id: ID!): Note node(id: ID!): Node }
type Mutation { createNote(title: String!, text: String!): Note! }
"""


class Root:
    def __init__(self) -> None:
        self.shelf = Shelf(prefixed("note"))

    def notes(self, info: Info) -> list[Row]:
        return self.shelf.of(tenant_in(info))

    def note(self, info: Info, id: str) -> Row | None:  # noqa: A002 - the schema's name
        if self.shelf.owners.get(id) != tenant_in(info):
            raise GraphQLError("not found")
        return self.shelf.rows[id]

    def node(self, _: Info, id: str) -> Row | None:  # noqa: A002 - the schema's name
        if id not in self.shelf.rows:
            raise GraphQLError("not found")
        return self.shelf.rows[id]

    def createNote(self, info: Info, title: str, text: str) -> Row:  # noqa: N802 - the schema's
        return self.shelf.add(tenant_in(info), __typename="Note", title=title, text=text)


def case() -> Case:
    leaks = {("POST /graphql", "read")}
    return Case(served("Notes", SCHEMA, Root()), bearers("acme", "globex"), frozenset(leaks))


def truth(a: Client, b: Client) -> None:
    make = 'mutation { createNote(title: "x", text: "secret") { id } }'
    made = got(a.post("/graphql", json={"query": make}))["data"]["createNote"]["id"]
    asked = {"query": "query($id: ID!) { note(id: $id) { text } }", "variables": {"id": made}}
    assert got(a.post("/graphql", json=asked))["data"] == {"note": {"text": "secret"}}
    assert got(b.post("/graphql", json=asked))["data"] == {"note": None}
    asked["query"] = "query($id: ID!) { node(id: $id) { ... on Note { text } } }"
    assert got(b.post("/graphql", json=asked))["data"] == {"node": {"text": "secret"}}
