"""usage: VENV/bin/python describe.py BASE FILE: writes the server's OpenAPI description

MLflow ships none. Its operations stand in protocol buffers, with method, path and fields; the few
that are plain Flask routes are listed below. Runs in the application's own environment.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor
from mlflow.protos import databricks_pb2, model_registry_pb2, service_pb2
from mlflow.server import handlers

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
EXPERIMENT = {"experiment_id": TEXT, "username": TEXT}
MODEL = {"name": TEXT, "username": TEXT}
PERMISSION = {
    "permission": {"type": "string", "enum": ["READ", "EDIT", "MANAGE", "NO_PERMISSIONS"]}
}
RUN = {"run_uuid": TEXT, "path": TEXT}
API, AJAX = "/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/"
MANY = {"type": "array", "items": TEXT}
ROUTES: dict[tuple[str, str], dict] = {
    ("get", "/get-artifact"): RUN,
    ("get", "/model-versions/get-artifact"): {"name": TEXT, "version": TEXT, "path": TEXT},
    ("get", AJAX + "metrics/get-history-bulk"): {"run_id": MANY, "metric_key": TEXT},
    ("post", AJAX + "experiments/search-datasets"): {"experiment_ids": MANY},
    ("get", API + "users/get"): {"username": TEXT},
    ("get", API + "experiments/permissions/get"): EXPERIMENT,
    ("post", API + "experiments/permissions/create"): EXPERIMENT | PERMISSION,
    ("patch", API + "experiments/permissions/update"): EXPERIMENT | PERMISSION,
    ("delete", API + "experiments/permissions/delete"): EXPERIMENT,
    ("get", API + "registered-models/permissions/get"): MODEL,
    ("post", API + "registered-models/permissions/create"): MODEL | PERMISSION,
    ("patch", API + "registered-models/permissions/update"): MODEL | PERMISSION,
    ("delete", API + "registered-models/permissions/delete"): MODEL,
}
NUMBERS = {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}
WHOLES = {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}


def plain(field: FieldDescriptor, seen: tuple) -> dict:
    if field.cpp_type in WHOLES:
        return WHOLE
    if field.cpp_type in NUMBERS:
        return {"type": "number"}
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"type": "boolean"}
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return {"type": "string", "enum": [each.name for each in field.enum_type.values]}
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return message(field.message_type, seen)
    return TEXT


def schema(field: FieldDescriptor, seen: tuple) -> dict:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        value = plain(inner.fields_by_name["value"], seen)
        return {"type": "object", "additionalProperties": value}
    one = plain(field, seen)
    return {"type": "array", "items": one} if field.label == field.LABEL_REPEATED else one


def required(field: FieldDescriptor) -> bool:
    return bool(field.GetOptions().Extensions[databricks_pb2.validate_required])


def message(descriptor, seen: tuple = ()) -> dict:
    if descriptor.full_name == "google.protobuf.Timestamp":
        return {"type": "string", "format": "date-time"}
    if descriptor.full_name == "google.protobuf.Duration":
        return {"type": "string"}
    if descriptor.full_name in seen or descriptor.full_name.startswith("google.protobuf"):
        return {"type": "object"}
    deeper = (*seen, descriptor.full_name)
    needed = [field.name for field in descriptor.fields if required(field)]
    properties = {field.name: schema(field, deeper) for field in descriptor.fields}
    return {"type": "object", "properties": properties} | ({"required": needed} if needed else {})


def operation(method: str, path: str, takes: dict, gives: dict | None = None) -> dict:
    names = re.findall(r"{(\w+)}", path)
    fields = {n: s for n, s in takes.get("properties", {}).items() if n not in names}
    needed = [name for name in takes.get("required", []) if name in fields]
    answer = {"content": {"application/json": {"schema": gives}}} if gives else {}
    out: dict = {
        "responses": {"200": {"description": "done", **answer}},
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": TEXT} for name in names
        ],
    }
    if method == "get":
        out["parameters"] += [
            {"name": name, "in": "query", "required": name in needed, "schema": each}
            for name, each in fields.items()
            if each.get("type") != "object"
        ]
    elif fields:
        body = {"type": "object", "properties": fields}
        body |= {"required": needed} if needed else {}
        out["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return out


def operations() -> dict:
    paths: dict = {}
    for service in (service_pb2.MlflowService, model_registry_pb2.ModelRegistryService):
        for each in service.DESCRIPTOR.methods:
            kind = service().GetRequestClass(each)
            if kind not in handlers.HANDLERS:
                continue
            given = each.input_type.nested_types_by_name.get("Response")
            for url, _, (method,) in handlers.get_service_endpoints(service, lambda seen: seen):
                if _ is not kind or not url.startswith("/api/"):
                    continue
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", url)
                paths.setdefault(path, {})[method.lower()] = operation(
                    method.lower(), path, message(each.input_type), given and message(given)
                )
    for (method, path), fields in ROUTES.items():
        takes = {"properties": fields, "required": list(fields)}
        paths.setdefault(path, {})[method] = operation(method, path, takes)
    return paths


def main() -> None:
    base, file = sys.argv[1:]
    document = {
        "openapi": "3.0.3",
        "info": {"title": "MLflow", "version": "1"},
        "servers": [{"url": base}],
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "basic"}}},
        "paths": operations(),
    }
    Path(file).write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
