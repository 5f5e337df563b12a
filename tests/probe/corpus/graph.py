"""GraphQL over HTTP as one FastAPI route, with graphql-core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLError, GraphQLResolveInfo, build_schema, graphql_sync
from pydantic import BaseModel

from tests.probe.corpus.asgi import Caller, api
from tests.probe.corpus.walls import DeniedError, Row

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["GraphQLError", "Info", "served", "tenant_in"]

Info: TypeAlias = GraphQLResolveInfo


class Asked(BaseModel):
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 - the protocol's name


def served(title: str, schema: str, root: object) -> FastAPI:
    """An application that answers *schema* by the methods of *root*."""
    app, built = api(title), build_schema(schema)

    @app.post("/graphql")
    async def answer(asked: Asked, tenant: Caller) -> Row:
        result = graphql_sync(
            built, asked.query, root, {"tenant": tenant}, asked.variables, asked.operationName
        )
        told = [{"message": error.message} for error in result.errors or ()]
        if result.data is None and not told:
            raise DeniedError(400, "there is nothing to answer")
        return {"data": result.data, **({"errors": told} if told else {})}

    return app


def tenant_in(info: Info) -> str:
    """Who asks, for a resolver."""
    return str(info.context["tenant"])
