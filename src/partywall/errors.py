"""Every error that partywall raises, one hierarchy.

::

    PartywallError
    ├── ConfigurationError      what was asked for can't be done as asked (exit code 2)
    │   ├── ModelError          no tenants could be made out, declared or detected
    │   ├── MigrationError      a migration could not be read or run; the message says where
    │   ├── Unreachable         nothing answers at a declared address, or it lets nobody in
    │   └── UnsafeLogin         the application's login could get round the walls
    ├── TenantError             about one tenant or its context
    │   ├── MissingTenant       no tenant, an empty one, or what can't be one
    │   ├── UnknownTenant       nobody by that id lives here
    │   ├── TenantExists        somebody by that id lives here already
    │   ├── InactiveTenant      known, and not to be entered: suspended, provisioning, failed
    │   └── DeletedTenant       its name is a tombstone and is never given out again
    ├── WallError               a statement or an object would have crossed a wall
    │   ├── TenantMismatch      what belongs to one tenant was used as another
    │   ├── ForgedExecution     what a workflow engine keeps is not what was put there
    │   └── MissingTenantFilter a statement can't be shown to stay with the tenant
    ├── AccessError             somebody may not do what they asked for
    │   ├── NotAuthenticated    nobody, or a credential that does not hold
    │   ├── NotPermitted        known, and without the permission
    │   └── TooManyAttempts     wait `retry_after_s` before the next one
    ├── RecordError             about a record of the control plane
    │   ├── InvalidRecord       a slug, an address or a name that can't be
    │   ├── UnknownRecord       there is no such record
    │   ├── TooLarge            more bytes than may be
    │   └── RecordConflict      it would stand against another record, or a rule
    ├── ChannelError            a message can't be sent or heard as asked
    │   ├── InvalidChannel      a name that can't be a channel's
    │   ├── MessageTooLarge     more bytes than a message may have
    │   └── SocketClosed        the socket or the stream has ended; its code says why
    ├── SealError               about what is sealed for a tenant; never a word of it in the message
    │   ├── SealBroken          not sealed for this tenant in this place, or changed since
    │   ├── NotSealed           plaintext stands where only what is sealed may
    │   └── UnknownKey          a key-encryption key is missing; the message names it
    ├── QuotaExceeded           a tenant has used up what it may have
    ├── WorkError               a tenant could not be provisioned or removed; the reason says why
    ├── WorkflowError           about one execution of a tenant's workflow or task
    │   ├── UnknownExecution    there is none by that id, or not in this tenant
    │   ├── ExecutionPending    it has not ended in the time one may wait
    │   ├── ExecutionFailed     it has ended without a result; `kind` says of what
    │   └── StepFailed          a step of it has failed for good; `kind` says of what
    ├── Unavailable             what is needed for an answer is down; try again
    ├── PoolTimeout             every connection was in use for as long as one may wait
    ├── UpgradeError            a move onto row security stopped; run again, it goes on
    ├── ServerError             a disposable server could not be started or stopped
    └── TargetError             the surveyed database refused what a survey needs
        └── CopyError           the disposable copy could not be made as the target is
"""

from __future__ import annotations


class PartywallError(Exception):
    """The root: catch it to catch all that partywall raises on purpose."""


class ConfigurationError(PartywallError):
    """A configuration, an argument or an environment that can't work; the message says the mend."""


class ModelError(ConfigurationError):
    """Neither configuration nor catalog says who the tenants are."""


class MigrationError(ConfigurationError):
    """A migration could not be read or run; the message names file, line and the server's words."""


class Unreachable(ConfigurationError):
    """Nothing answers at a declared address, or it lets nobody in; the message names it."""


class UnsafeLogin(ConfigurationError):
    """The application's login could get round the walls; the message names how, and the mend."""


class TenantError(PartywallError):
    """About one tenant, or the context that names it."""


class MissingTenant(TenantError):
    """No tenant, an empty tenant, or a value that can't be a tenant's id."""


class UnknownTenant(TenantError):
    """Nobody by that id lives here."""


class TenantExists(TenantError):
    """Somebody by that id lives here already; nothing was changed."""


class InactiveTenant(TenantError):
    """The tenant exists and may not be entered: suspended, provisioning, failed."""


class DeletedTenant(TenantError):
    """The tenant's physical name is a tombstone: it is never given out again."""


class WallError(PartywallError):
    """A statement or an object would have crossed a wall; nothing was executed."""


class TenantMismatch(WallError):
    """What belongs to one tenant was used in the session of another."""


class MissingTenantFilter(WallError):
    """A statement touches a tenant's table and can't be shown to stay with that tenant."""


class ForgedExecution(WallError):
    """What a workflow engine keeps of an execution is not what was put there; nothing was run."""


class AccessError(PartywallError):
    """Somebody may not do what they asked for."""


class NotAuthenticated(AccessError):
    """Nobody, or a credential that does not hold: wrong, expired, revoked."""


class NotPermitted(AccessError):
    """Somebody known, whose role lacks the permission."""


class TooManyAttempts(AccessError):
    """More attempts than a window of time allows.

    Attributes:
        retry_after_s: when the window ends.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RecordError(PartywallError):
    """About a record of the control plane; nothing was changed."""


class InvalidRecord(RecordError):
    """A slug, an address or a name that can't be: malformed, reserved."""


class UnknownRecord(RecordError):
    """There is no such record, or not in this tenant."""


class TooLarge(RecordError):
    """More bytes than may be: the content of a file, a request."""


class RecordConflict(RecordError):
    """It would stand against another record (taken already), or a rule (the last owner)."""


class ChannelError(PartywallError):
    """A message can't be sent or heard as it was asked for."""


class InvalidChannel(ChannelError):
    """A name that can't be a channel's: a pattern, an empty part, another alphabet."""


class MessageTooLarge(ChannelError):
    """More bytes than a message may have; nothing was sent."""


class SocketClosed(ChannelError):
    """A socket or a stream has ended.

    Attributes:
        code: of the WebSocket protocol, as `partywall.adapters.channels` lists them.
    """

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class SealError(PartywallError):
    """About what is sealed for a tenant; no message repeats any of it, nor of a key."""


class SealBroken(SealError):
    """Not sealed for this tenant in this place, or changed since: one error for every reason."""


class NotSealed(SealError):
    """Plaintext stands where only sealed values may; nothing of it was given out."""


class UnknownKey(SealError):
    """A key-encryption key is missing, and what it wraps can't be had; the message names it."""


class QuotaExceeded(PartywallError):
    """A tenant has used up what it may have.

    Attributes:
        kind: of what: rows, requests_per_minute.
        retry_after_s: when there is more by itself; None when there won't be.
    """

    def __init__(self, message: str, *, kind: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.retry_after_s = kind, retry_after_s


class WorkError(PartywallError):
    """A tenant could not be provisioned or removed; nothing half-made is left."""


class WorkflowError(PartywallError):
    """About one execution of a tenant's workflow or task."""


class UnknownExecution(WorkflowError):
    """There is no execution by that id, or not in this tenant."""


class ExecutionPending(WorkflowError):
    """The execution has not ended in the time that one was ready to wait; it goes on."""


class ExecutionFailed(WorkflowError):
    """The execution has ended without a result.

    Attributes:
        kind: the class of the error that ended it; "" for one that was cancelled or timed out.
        status: failed, cancelled, timed_out.
        reason: class and words of the error, where they are kept. They are the tenant's own, so
            they are in no message.
    """

    def __init__(
        self, message: str, *, kind: str = "", status: str = "failed", reason: str = ""
    ) -> None:
        super().__init__(message)
        self.kind, self.status, self.reason = kind, status, reason


class StepFailed(WorkflowError):
    """A step of an execution has failed as often as it may; raised in the body of the workflow.

    Attributes:
        kind: the class of its last error: the error itself may have been raised by a process that
            is gone.
    """

    def __init__(self, message: str, *, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Unavailable(PartywallError):
    """What is needed for an answer is down.

    Attributes:
        retry_after_s: when to try again.
    """

    def __init__(self, message: str, *, retry_after_s: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PoolTimeout(PartywallError):
    """Every connection was in use for as long as one may wait for it."""


class UpgradeError(PartywallError):
    """A step of an upgrade could not be done; what was done stands, and running again goes on."""


class ServerError(PartywallError):
    """A disposable server could not be started or stopped."""


class TargetError(PartywallError):
    """The surveyed database refused what a survey needs."""


class CopyError(TargetError):
    """The disposable copy could not be made as the target is."""
