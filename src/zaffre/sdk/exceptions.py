"""The exceptions of SDK v1, and which of them an answer of the server becomes.

All but the starred ones of v1 take the message first. `str()` keeps v1's four-part layout, because
people print exceptions and search for its lines; `.message` is the bare sentence.
"""

from __future__ import annotations

from zaffre.contract import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class AzureMLException(Exception):
    """The root of everything that the SDK raises by itself."""

    #: v1's error codes from the outside in; only user errors have any.
    _codes: tuple[str, ...] = ()

    def __init__(
        self,
        exception_message: object = "",
        inner_exception: BaseException | None = None,
        target: object = None,
        details: object = None,
        message_format: str | None = None,
        message_parameters: object = None,
        reference_code: str | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(exception_message)
        self._message = exception_message
        self._inner = inner_exception
        self._target = target

    @property
    def message(self) -> Any:
        """What is wrong and what to do, in a sentence or two."""
        return self._message

    @message.setter
    def message(self, value: object) -> None:
        self._message = value

    @property
    def inner_exception(self) -> BaseException | None:
        """The exception behind this one, if there is one."""
        return self._inner

    @inner_exception.setter
    def inner_exception(self, value: BaseException | None) -> None:
        self._inner = value

    def print_stacktrace(self) -> None:
        """Print the traceback of the inner exception, or of this one."""
        import sys
        import traceback

        error = self._inner if self._inner is not None else self
        sys.stdout.writelines(traceback.format_exception(type(error), error, error.__traceback__))

    def _error(self) -> dict[str, Any]:
        error: dict[str, Any] = {}
        inner = error
        for position, code in enumerate(self._codes):
            if position:
                inner["inner_error"] = {}
                inner = inner["inner_error"]
            inner["code"] = code
        error["message"] = self.message
        if self._target is not None:
            error["target"] = self._target
        return error

    def __str__(self) -> str:
        import json

        answer = json.dumps({"error": self._error()}, indent=4, default=str)
        return (
            f"{type(self).__name__}:\n\tMessage: {self.message}\n"
            f"\tInnerException {self._inner}\n\tErrorResponse\n{answer}"
        )

    def __repr__(self) -> str:
        return str(self)


class UserErrorException(AzureMLException):
    """A bad argument, a file that is not there, a name that is not allowed."""

    _codes = ("UserError",)


class AuthenticationException(UserErrorException):
    """The server does not know the token, or there is none."""

    _codes = ("UserError", "Authentication")


class ComputeTargetException(AzureMLException):
    """There is no compute target of that name, or it cannot do what is asked."""


class WebserviceException(AzureMLException):
    """Something about models or services is wrong."""

    def __init__(
        self,
        exception_message: object = "",
        status_code: int | None = None,
        logger: object = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code


class ModelNotFoundException(WebserviceException):
    """No model matches.

    v1's constructor `Model(ws, 'absent')` raised WebserviceException where its reference said
    ModelNotFoundException; being both serves code written for either.
    """

    def __init__(
        self,
        exception_message: object = "",
        logger: object = None,
        status_code: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message, status_code, logger, **kwargs)


class ModelPathNotFoundException(AzureMLException):
    """The run has no file or folder of the name that a model was to be made of."""

    def __init__(
        self, exception_message: object = "", logger: object = None, **kwargs: Any
    ) -> None:
        super().__init__(exception_message, **kwargs)


class WorkspaceException(AzureMLException):
    """The workspace is absent, exists already, or its name is ambiguous."""

    def __init__(
        self, exception_message: object = "", found_multiple: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class WorkspacePrivateEndpointException(AzureMLException):
    """A private endpoint cannot be made or found."""

    def __init__(
        self, exception_message: object = "", found_multiple: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class ProjectSystemException(AzureMLException):
    """An old project folder cannot be used."""


class RunConfigurationException(AzureMLException):
    """A run configuration is wrong or not there."""


class RunEnvironmentException(AzureMLException):
    """`Run.get_context(allow_offline=False)` was called outside a submitted run."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            "Could not load a submitted run: this process was not started by one. If you want to "
            "log from a notebook or by hand, use experiment.start_logging to make an interactive "
            "run.",
            **kwargs,
        )


class ExperimentExecutionException(AzureMLException):
    """A run could not be submitted, or its output could not be streamed to the end."""


class ActivityFailedException(AzureMLException):
    """A run that was waited for has failed; `error_details` is the error as JSON text."""

    def __init__(self, error_details: object = "", **kwargs: Any) -> None:
        super().__init__(f"Activity Failed:\n{error_details}", **kwargs)
        self.error_details = error_details


class SnapshotException(AzureMLException):
    """A source folder is too large to be sent."""


class TrainingException(AzureMLException):
    """An estimator or a sweep has settings that do not go together."""


class ParallelRunException(AzureMLException):
    """A parallel step is set up wrongly."""

    def __init__(
        self,
        exception_message: object = "",
        code: object = None,
        delay_seconds: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.code = code
        self.delay_seconds = delay_seconds


class DiscoveryUrlNotFoundException(AzureMLException):
    """A service address is not known."""

    def __init__(self, discovery_key: object = "", **kwargs: Any) -> None:
        super().__init__(f"There is no service address {discovery_key!r}.", **kwargs)


class DatasetTimestampMissingError(AzureMLException):
    """A dataset has no timestamp column, and the call needs one."""

    def __init__(self, error_details: object = "", **kwargs: Any) -> None:
        super().__init__(error_details, **kwargs)


class AzureMLAggregatedException(AzureMLException):
    """Several exceptions at once."""

    def __init__(self, exceptions_list: Iterable[BaseException] = (), **kwargs: Any) -> None:
        self.exceptions = list(exceptions_list)
        super().__init__("\n".join(str(one) for one in self.exceptions), **kwargs)


class ServiceException(AzureMLException):
    """The server answered no.

    v1's was msrest's HttpOperationError; here it is an AzureMLException, so that nothing needs
    msrest. status_code: the HTTP status. code: Zaffre's stable code.
    """

    def __init__(
        self,
        error_response_exception: object = "",
        status_code: int | None = None,
        code: str = "",
        **kwargs: Any,
    ) -> None:
        if isinstance(error_response_exception, errors.ZaffreError):
            status_code = error_response_exception.status
            code = error_response_exception.code
        super().__init__(
            f"({_v1_code(status_code)}) {error_response_exception}",
            inner_exception=error_response_exception
            if isinstance(error_response_exception, BaseException)
            else None,
            **kwargs,
        )
        self.status_code = status_code
        self.code = code

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}:\n\tCode: {self.status_code}\n\tMessage: {self.message}\n"
            f"\tDetails: {self.code}\n\tHeaders: {{}}\n\tInnerException: {self._inner}"
        )


class ServerUnreachableException(ServiceException):
    """No Zaffre server answered."""


class NotBuiltYetException(AzureMLException, errors.NotBuiltYet):
    """A part of SDK v1 that this release of Zaffre does not have."""

    def __init__(self, what: str = "") -> None:
        error = errors.NotBuiltYet(what)
        AzureMLException.__init__(self, error.message)
        self.field = None
        self.facts = {}


def _v1_code(status: int | None) -> str:
    if status is None or status >= 500:
        return "ServiceError"
    return "UserError"


def from_refusal(refusal: errors.ZaffreError) -> AzureMLException:
    """Return v1's exception for what the server (or the client) refused.

    Names and values that v1's own client checked are user errors; models were v1's
    WebserviceException, workspaces its WorkspaceException; the rest is ServiceException with the
    HTTP status, as v1 showed what its service refused.
    """
    code, message = refusal.code, refusal.message
    noun = code.partition(".")[0]
    if isinstance(refusal, errors.NotBuiltYet) or code == errors.NotBuiltYet.code:
        built = NotBuiltYetException()
        built.message = message
        return built
    if code == errors.Unauthenticated.code:
        return AuthenticationException(message, inner_exception=refusal)
    if code == errors.ServerUnreachable.code:
        return ServerUnreachableException(refusal)
    if noun == "search" or code in (errors.Invalid.code, errors.PropertyImmutable.code):
        return UserErrorException(message, inner_exception=refusal)
    if code == "datastore.not_found":
        name = refusal.facts.get("name")
        return UserErrorException(f"Could not find datastore {name}: {message}")
    if noun in ("datastore", "data"):
        return UserErrorException(message, inner_exception=refusal)
    if code == "model.not_found":
        return ModelNotFoundException(f"ModelNotFound: {message}", status_code=refusal.status)
    if noun == "model":
        return WebserviceException(message, status_code=refusal.status)
    if noun == "workspace":
        return WorkspaceException(message, inner_exception=refusal)
    return ServiceException(refusal)
