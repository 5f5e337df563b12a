"""GraphQL: null and an error for what isn't the caller's, in every field and alias."""

from __future__ import annotations

from tests.probe.corpus.case import Case
from tests.probe.corpus.graph import GraphQLError, Info, served, tenant_in
from tests.probe.corpus.walls import Client, Row, Shelf, bearers, got, prefixed

SCHEMA = """
type Order { id: ID! article: String! }
type Query { orders: [Order!]! order(id: ID!): Order }
type Mutation {
  placeOrder(article: String!): Order!
  cancelOrder(id: ID!): Boolean!
}
"""


class Root:
    def __init__(self) -> None:
        self.shelf = Shelf(prefixed("ord"))

    def orders(self, info: Info) -> list[Row]:
        return self.shelf.of(tenant_in(info))

    def order(self, info: Info, id: str) -> Row:  # noqa: A002 - the schema's name
        if self.shelf.owners.get(id) != tenant_in(info):
            raise GraphQLError(f"there is no order {id}")
        return self.shelf.rows[id]

    def placeOrder(self, info: Info, article: str) -> Row:  # noqa: N802 - the schema's name
        return self.shelf.add(tenant_in(info), article=article)

    def cancelOrder(self, info: Info, id: str) -> bool:  # noqa: A002, N802 - as above
        self.shelf.drop(self.order(info, id)["id"])
        return True


def case() -> Case:
    return Case(served("Orders", SCHEMA, Root()), bearers("acme", "globex"))


def truth(a: Client, b: Client) -> None:
    make = 'mutation { placeOrder(article: "secret") { id } }'
    made = got(a.post("/graphql", json={"query": make}))["data"]["placeOrder"]["id"]
    asked = {"query": f'{{ x: order(id: "{made}") {{ article }} y: orders {{ article }} }}'}
    assert got(b.post("/graphql", json=asked))["data"] == {"x": None, "y": []}
    cancel = {"query": f'mutation {{ cancelOrder(id: "{made}") }}'}
    assert "errors" in got(b.post("/graphql", json=cancel))
    assert got(a.post("/graphql", json=asked))["data"]["x"] == {"article": "secret"}
