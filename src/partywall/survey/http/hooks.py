"""What can't be declared: a Python file of the project's own.

Each function is optional, and any may be ``async``. ``send`` asks the API with what the caller has
for credentials, and gives an `Answer`; within an ``async`` function it is awaited::

    def sign_in(tenant_name, send):
        answer = send("POST", "/auth/start", json={"email": f"{tenant_name}@example.com"})
        code = read_the_mail_of(tenant_name)
        token = send("POST", "/auth/finish", json={"code": code}).json["token"]
        return {"headers": {"Authorization": f"Bearer {token}"}, "own": {"team_id": 7}}


    def before_request(actor_name, request):
        return request.but(headers=(*request.headers, ("X-Signature", _signed(request))))


    def create(kind, actor_name, send):
        if kind == "invoice":  # the singular of the path: /invoices
            return send("POST", "/legacy/new-invoice", form={"title": "one"}).json["number"]


    def ignore(operation):
        return operation.path.startswith("/internal/")

``sign_in`` gives ``headers``, ``cookies`` and ``own``, each a dict. ``before_request`` is asked
before every request, and gives it back, changed or not. ``create`` gives the id of a new object of
that kind, or None where it doesn't know how. What ``ignore`` says yes to is not attacked. Names of
the file's other functions begin with an underscore.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError, PartywallError
from partywall.survey.http.wire import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.asking import Send
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.wire import Answer

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "sign_in": ("tenant_name", "send"),
    "before_request": ("actor_name", "request"),
    "create": ("kind", "actor_name", "send"),
    "ignore": ("operation",),
}
GIVEN = ("headers", "cookies", "own")


@dataclass(frozen=True)
class Hooks:
    """The functions of a hook file; without one, nothing is hooked.

    Raises (from each):
        ConfigurationError: the function failed, or gave what it must not; the message names its
            line, and not what it said, which may be a secret.
    """

    where: str = ""
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    async def sign_in(self, actor: Actor, send: Send) -> bool:
        """Give *actor* its credentials; whether there is a function for it."""
        found = await self._called("sign_in", actor.name, send=send)
        if found is None:
            return False
        if not isinstance(found, dict) or not all(
            name in GIVEN and isinstance(inner, dict) for name, inner in found.items()
        ):
            raise ConfigurationError(
                f"{self.where}: sign_in must give a dict of headers, cookies and own, each a dict"
            )
        actor.headers.update(_texts(found.get("headers")))
        actor.cookies.update(_texts(found.get("cookies")))
        actor.own.update(found.get("own") or {})
        return True

    def before_request(self, actor: Actor, request: Request) -> Request:
        """*request* as it shall be sent."""
        if "before_request" not in self.functions:
            return request
        found = self._guarded("before_request", actor.name, request)
        if not isinstance(found, Request):
            raise ConfigurationError(
                f"{self.where}: before_request must give the request back, and gave a "
                f"{type(found).__name__}"
            )
        return found

    async def create(self, kind: str, actor: Actor, send: Send) -> str | int | None:
        """The id of a new object of *actor*; None where the file makes none."""
        found = await self._called("create", kind, actor.name, send=send)
        if found is not None and not isinstance(found, str | int):
            raise ConfigurationError(
                f"{self.where}: create must give an id or None, and gave a {type(found).__name__}"
            )
        return found

    def ignores(self, operation: Operation) -> bool:
        """Whether *operation* is left out."""
        return "ignore" in self.functions and bool(self._guarded("ignore", operation))

    async def _called(self, name: str, *arguments: object, send: Send) -> Any:  # noqa: ANN401 - vetted by the caller
        """An ``async`` function is awaited; a plain one has a thread, where sending may wait."""
        function = self.functions.get(name)
        if function is None:
            return None
        if inspect.iscoroutinefunction(function):
            try:
                return await function(*arguments, send)
            except Exception as error:
                raise self._failed(name, error) from error
        loop = asyncio.get_running_loop()

        def waiting(method: str, path: str, **parts: Any) -> Answer:  # noqa: ANN401 - as Send
            sent = send(method, path, **parts)
            return asyncio.run_coroutine_threadsafe(_awaited(sent), loop).result()

        return await asyncio.to_thread(self._guarded, name, *arguments, waiting)

    def _guarded(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - vetted by the caller
        try:
            return self.functions[name](*arguments)
        except Exception as error:
            raise self._failed(name, error) from error

    def _failed(self, name: str, error: Exception) -> Exception:
        if isinstance(error, PartywallError):
            return error
        own = [
            one for one in traceback.extract_tb(error.__traceback__) if one.filename == self.where
        ]
        line = f", line {own[-1].lineno}" if own else ""
        return ConfigurationError(f"{self.where}{line}: {name} failed with {type(error).__name__}")


def load(path: Path | None) -> Hooks:
    """The hooks of the file at *path*; without a path, none.

    Raises:
        ConfigurationError: it can't be run, or has a function by a name that means nothing.
    """
    if path is None:
        return Hooks()
    where = str(path.resolve())
    spec = importlib.util.spec_from_file_location(f"partywall_hook_{path.stem}", where)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigurationError(f"there is no hook file {path} of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses of the file look themselves up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"the hook file {path} can't be run: {type(error).__name__}: {error}"
        ) from error
    found = {
        name: one
        for name, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == spec.name and not name.startswith("_")
    }
    for name, function in found.items():
        _vet(path, name, function)
    return Hooks(where, found)


def _vet(path: Path, name: str, function: Callable[..., Any]) -> None:
    if name not in ARGUMENTS:
        near = get_close_matches(name, ARGUMENTS, 1)
        hint = f"did you mean {near[0]}?" if near else f"hooks are {', '.join(ARGUMENTS)}."
        raise ConfigurationError(
            f"{path} has {name}, and no hook is called so: {hint} A function of your own begins "
            "with an underscore"
        )
    wanted = ARGUMENTS[name]
    try:
        inspect.signature(function).bind(*wanted)
    except TypeError as error:
        raise ConfigurationError(
            f"{path}: {name} must take {', '.join(wanted)}, in this order"
        ) from error
    if inspect.iscoroutinefunction(function) and "send" not in wanted:
        raise ConfigurationError(f"{path}: {name} can't be async")


async def _awaited(sent: Any) -> Answer:  # noqa: ANN401 - any awaitable
    answer: Answer = await sent
    return answer


def _texts(values: Mapping[str, object] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (values or {}).items()}
