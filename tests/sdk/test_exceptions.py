from __future__ import annotations

import json
from typing import Any

import pytest

from zaffre.contract import errors
from zaffre.sdk import exceptions
from zaffre.sdk.exceptions import (
    ActivityFailedException,
    AuthenticationException,
    AzureMLException,
    ModelNotFoundException,
    NotBuiltYetException,
    RunEnvironmentException,
    ServiceException,
    UserErrorException,
    WebserviceException,
    WorkspaceException,
    from_refusal,
)


def test_the_text_has_v1s_four_parts() -> None:
    error = UserErrorException("what is wrong")
    head, _, answer = str(error).partition("ErrorResponse\n")
    assert head == ("UserErrorException:\n\tMessage: what is wrong\n\tInnerException None\n\t")
    assert json.loads(answer) == {"error": {"code": "UserError", "message": "what is wrong"}}
    assert answer.startswith('{\n    "error"')
    assert error.message == "what is wrong"
    assert error.inner_exception is None


def test_codes_of_derived_errors_lie_inside_one_another() -> None:
    answer = json.loads(str(AuthenticationException("x")).partition("ErrorResponse\n")[2])
    assert answer["error"]["code"] == "UserError"
    assert answer["error"]["inner_error"] == {"code": "Authentication"}
    answer = json.loads(str(WebserviceException("x")).partition("ErrorResponse\n")[2])
    assert answer == {"error": {"message": "x"}}


def test_message_and_inner_exception_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    error = AzureMLException("a", inner_exception=ValueError("inner"))
    assert "InnerException inner" in str(error)
    error.message = "b"
    assert "Message: b" in repr(error)
    error.print_stacktrace()
    assert "ValueError: inner" in capsys.readouterr().out


@pytest.mark.parametrize(
    "make",
    [
        lambda: exceptions.ComputeTargetException("x"),
        lambda: WebserviceException("x", 404),
        lambda: WorkspaceException("x", found_multiple=True),
        lambda: exceptions.ParallelRunException("x", code=1, delay_seconds=2),
        lambda: exceptions.DiscoveryUrlNotFoundException("x"),
        lambda: exceptions.DatasetTimestampMissingError("x"),
        lambda: exceptions.AzureMLAggregatedException([ValueError("x")]),
        lambda: ActivityFailedException("x"),
        lambda: exceptions.TrainingException("x", target="t"),
    ],
)
def test_every_class_is_made_as_in_v1_and_shows_its_message(make: Any) -> None:
    error = make()
    assert isinstance(error, AzureMLException)
    assert "x" in error.message
    assert "x" in str(error)


def test_the_offline_error_takes_no_message() -> None:
    assert "start_logging" in RunEnvironmentException().message


def _refused(code: str, status: int) -> errors.Refused:
    return errors.Refused("The sentence.", code=code, status=status)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (_refused("invalid", 400), UserErrorException),
        (_refused("property.immutable", 400), UserErrorException),
        (_refused("unauthenticated", 401), AuthenticationException),
        (_refused("forbidden", 403), ServiceException),
        (_refused("run.not_found", 404), ServiceException),
        (_refused("workspace.not_found", 404), WorkspaceException),
        (_refused("workspace.exists", 409), WorkspaceException),
        (_refused("model.not_found", 404), ModelNotFoundException),
        (_refused("model.in_use", 409), WebserviceException),
        (_refused("not_built_yet", 501), NotBuiltYetException),
        (_refused("store.full", 507), ServiceException),
        (errors.ServerUnreachable("here", "refused"), ServiceException),
        (errors.NotBuiltYet("A thing"), NotBuiltYetException),
    ],
)
def test_what_the_server_refuses_becomes_v1s_exception(
    refusal: errors.ZaffreError, expected: type[AzureMLException]
) -> None:
    error = from_refusal(refusal)
    assert isinstance(error, expected)
    assert refusal.message in error.message
    assert refusal.message in str(error)


def test_a_service_exception_has_the_status_and_v1s_lines() -> None:
    error = from_refusal(_refused("run.not_found", 404))
    assert isinstance(error, ServiceException)
    assert error.status_code == 404
    assert error.message == "(UserError) The sentence."
    lines = str(error).split("\n")
    assert lines[0] == "ServiceException:"
    assert [line.strip().partition(":")[0] for line in lines[1:]] == [
        "Code",
        "Message",
        "Details",
        "Headers",
        "InnerException",
    ]


def test_models_that_are_not_there_are_both_of_v1s_classes() -> None:
    error = from_refusal(_refused("model.not_found", 404))
    assert isinstance(error, ModelNotFoundException)
    assert isinstance(error, WebserviceException)
    assert error.message.startswith("ModelNotFound:")


def test_what_is_not_built_yet_is_also_the_contracts_error() -> None:
    error = NotBuiltYetException("Experiment.archive")
    assert isinstance(error, errors.NotBuiltYet)
    assert error.message.startswith("Experiment.archive is not built yet")
    assert error.status == 501
