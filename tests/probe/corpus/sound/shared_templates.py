"""Templates are for all to read and to copy; what is made of them is one's own."""

from __future__ import annotations

from pydantic import BaseModel

from tests.probe.corpus.asgi import TOKEN, Caller, api
from tests.probe.corpus.case import Case
from tests.probe.corpus.walls import Client, DeniedError, Row, Shelf, bearers, got, prefixed

TEMPLATES: dict[str, Row] = {
    "tpl_letter": {"id": "tpl_letter", "name": "Letter", "text": "Dear reader"},
    "tpl_bill": {"id": "tpl_bill", "name": "Bill", "text": "Please pay"},
}


class NewDocument(BaseModel):
    title: str
    template_id: str


def case() -> Case:
    app, documents = api("Writer"), Shelf(prefixed("doc"))

    def template(template_id: str) -> Row:
        if template_id not in TEMPLATES:
            raise DeniedError(404, "there is no such template")
        return TEMPLATES[template_id]

    @app.get("/templates", dependencies=[TOKEN])
    async def every() -> list[Row]:
        return list(TEMPLATES.values())

    @app.get("/templates/{template_id}", dependencies=[TOKEN])
    async def read_template(template_id: str) -> Row:
        return template(template_id)

    @app.post("/documents", status_code=201)
    async def write(new: NewDocument, tenant: Caller) -> Row:
        text = template(new.template_id)["text"]
        return documents.add(tenant, title=new.title, text=text)

    @app.get("/documents/{document_id}")
    async def read(document_id: str, tenant: Caller) -> Row:
        return documents.own(tenant, document_id)

    common = frozenset({"GET /templates", "GET /templates/{template_id}"})
    return Case(app, bearers("umbrella", "initech"), common=common)


def truth(a: Client, b: Client) -> None:
    assert got(a.get("/templates/tpl_bill")) == got(b.get("/templates/tpl_bill"))
    new = {"title": "x", "template_id": "tpl_bill"}
    made = got(a.post("/documents", json=new))
    assert made["text"] == got(b.post("/documents", json=new))["text"]
    assert b.get(f"/documents/{made['id']}").status_code == 404
