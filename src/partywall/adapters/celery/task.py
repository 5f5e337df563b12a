"""The class of a tenant's task: what happens where Celery publishes one, and where it runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from celery import Task
from celery.exceptions import Ignore, Reject, Retry

from partywall.adapters.celery.canvas import HEADER, embedded, message, then
from partywall.context import TenantContext
from partywall.errors import MissingTenant, NotAuthenticated

if TYPE_CHECKING:
    from celery import Celery, Signature
    from celery.app.task import Context

    from partywall.adapters.celery.tasks import TenantTasks

VERIFIED = "partywall_verified"


class TenantTask(Task):  # type: ignore[misc] # Celery has no types
    """A task whose first argument is a `TenantContext`, in the worker taken from the message."""

    abstract = True
    tenants: ClassVar[TenantTasks]

    def apply_async(
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        shadow: str | None = None,
        **options: Any,
    ) -> Any:
        """Publish a message of the tenant that the signature's envelope names.

        Raises:
            MissingTenant: without one: start it by `TenantTasks.start`.
        """
        args = tuple(args or ())
        beside = embedded({**options, "link": link, "link_error": link_error})
        posting = self.tenants.posting.around(self, args, kwargs, task_id, beside, options)
        with posting as (full_id, addressed):
            return super().apply_async(
                args,
                kwargs,
                task_id=full_id,
                producer=producer,
                link=link,
                link_error=link_error,
                shadow=shadow,
                **addressed,
            )

    def signature_from_request(
        self, request: Context | None = None, *args: Any, **options: Any
    ) -> Signature:
        """What a retry publishes: the same with the context that this run was let in with."""
        request = self.request if request is None else request
        again = super().signature_from_request(request, *args, **options)
        context = getattr(request, VERIFIED, None)
        headers = {k: v for k, v in (again.options.get("headers") or {}).items() if k != HEADER}
        if isinstance(context, TenantContext):
            seal = self.tenants.sealed(context, then(self.name))
            headers[HEADER] = {"role": "then", "seal": seal}
        again.options["headers"] = headers
        return again

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body: of a message for its tenant, or directly with a context.

        Raises:
            MissingTenant: when it is called directly without one.
            Ignore: for a message that nothing proves to be ours. It leaves no trace but in the log.
        """
        request = self.request
        mine = request.args or (None,)
        if args and isinstance(args[0], TenantContext) and args[0] is not mine[0]:
            return self.run(*args, **kwargs)
        if request.called_directly:
            raise MissingTenant(f"{self.name} was called without a context, its first argument")
        try:
            context = self.tenants.verified(self, request)
        except (MissingTenant, NotAuthenticated) as error:
            self.tenants.refused(self.name, request.id, error)
            raise Ignore from error
        with self.tenants.running(self, request, context):
            setattr(request, VERIFIED, context)
            return self.run(context, *args, **kwargs)


def heard(request: Context, name: str) -> str:
    """The audience of the message that is worked on."""
    beside = {
        "callbacks": request.callbacks or None,
        "errbacks": request.errbacks or None,
        "chain": request.chain,
        "chord": request.chord,
    }
    return message(name, request.id, request.args, request.kwargs, beside)


def verified_tenant(app: Celery) -> str | None:
    """The tenant of the message that is worked on in this thread, once it was let in."""
    task = app.current_worker_task
    context = getattr(task.request, VERIFIED, None) if task is not None else None
    return context.tenant_id if isinstance(context, TenantContext) else None


def passing(error: BaseException) -> bool:
    """Whether this is Celery's way to say that an execution goes on, or was none."""
    return isinstance(error, (Retry, Ignore, Reject))
