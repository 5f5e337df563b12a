"""Swagger 2.0 to OpenAPI 3.0, as far as these applications use it."""

from __future__ import annotations

import json

KEPT = {"name", "in", "description", "required"}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}


def openapi(swagger: dict, base: str) -> dict:
    """The same description as OpenAPI 3.0, with the server at `base`."""
    consumes = swagger.get("consumes", ["application/json"])
    produces = swagger.get("produces", ["application/json"])
    shared = swagger.get("parameters", {})
    paths = {
        path: _item(item, shared, consumes, produces) for path, item in swagger["paths"].items()
    }
    document = {
        "openapi": "3.0.3",
        "info": swagger["info"],
        "servers": [{"url": base.rstrip("/") + swagger.get("basePath", "").rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": swagger.get("definitions", {}),
            "securitySchemes": {
                name: {"type": "http", "scheme": "basic"} if scheme["type"] == "basic" else scheme
                for name, scheme in swagger.get("securityDefinitions", {}).items()
                if scheme["type"] in {"basic", "apiKey"}
            },
        },
    }
    return json.loads(json.dumps(document).replace("#/definitions/", "#/components/schemas/"))


def _resolved(parameter: dict, shared: dict) -> dict:
    return shared[parameter["$ref"].rsplit("/", 1)[1]] if "$ref" in parameter else parameter


def _item(item: dict, shared: dict, consumes: list[str], produces: list[str]) -> dict:
    common = [_resolved(each, shared) for each in item.get("parameters", [])]
    return {
        method: _operation(operation, common, shared, consumes, produces)
        for method, operation in item.items()
        if method in METHODS
    }


def _operation(
    operation: dict, common: list[dict], shared: dict, consumes: list[str], produces: list[str]
) -> dict:
    own = [_resolved(each, shared) for each in operation.get("parameters", [])]
    named = {(each["in"], each["name"]) for each in own}
    given = own + [each for each in common if (each["in"], each["name"]) not in named]
    kinds = operation.get("consumes", consumes)
    out = {
        "operationId": operation["operationId"],
        "tags": operation.get("tags", []),
        "description": operation.get("description", ""),
        "parameters": [
            _parameter(each) for each in given if each["in"] not in {"body", "formData"}
        ],
        "responses": {
            status: _response(answer, operation.get("produces", produces))
            for status, answer in operation["responses"].items()
        },
    }
    if "security" in operation:
        out["security"] = operation["security"]
    bodies = [each for each in given if each["in"] == "body"]
    fields = [each for each in given if each["in"] == "formData"]
    if bodies:
        out["requestBody"] = {
            "required": bodies[0].get("required", False),
            "content": {kind: {"schema": bodies[0]["schema"]} for kind in kinds},
        }
    elif fields:
        out["requestBody"] = {"required": True, "content": {kinds[0]: {"schema": _form(fields)}}}
    return out


def _schema(parameter: dict) -> dict:
    schema = {name: value for name, value in parameter.items() if name not in KEPT}
    schema.pop("collectionFormat", None)
    if schema.get("type") == "file":
        schema = {"type": "string", "format": "binary"}
    return schema


def _parameter(parameter: dict) -> dict:
    kept = {name: value for name, value in parameter.items() if name in KEPT}
    return kept | {"schema": _schema(parameter)}


def _form(fields: list[dict]) -> dict:
    return {
        "type": "object",
        "properties": {each["name"]: _schema(each) for each in fields},
        "required": [each["name"] for each in fields if each.get("required")],
    }


def _response(answer: dict, produces: list[str]) -> dict:
    out = {"description": answer.get("description", "")}
    if "schema" in answer:
        out["content"] = {kind: {"schema": answer["schema"]} for kind in produces}
    return out
