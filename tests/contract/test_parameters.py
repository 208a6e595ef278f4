from __future__ import annotations

import pytest

from zaffre.contract.parameters import as_number, of_arguments, of_spec
from zaffre.contract.run import RunSpec


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        (["--lr", "0.1", "--epochs=3"], {"lr": "0.1", "epochs": "3"}),
        (["-n", "5", "--shift", "-1.5"], {"n": "5", "shift": "-1.5"}),
        (["--amp", "--lr", "1"], {"amp": "true", "lr": "1"}),
        (["--layers", "10", "20"], {"layers": "10 20"}),
        (["--lr", "1", "--lr", "2"], {"lr": "2"}),
        (["data.csv", "--empty=", "rest"], {"empty": ""}),
        (["--a=b=c"], {"a": "b=c"}),
        (["--lr", "1", "--", "--not", "2"], {"lr": "1"}),
        (["-", "--", "---"], {}),
        (["--" + "x" * 300, "1"], {}),
    ],
)
def test_the_named_arguments_are_the_parameters(
    arguments: list[str], parameters: dict[str, str]
) -> None:
    assert of_arguments(arguments) == parameters


def test_a_command_has_the_parameters_of_its_words() -> None:
    command = "python train.py --name 'a b' --lr 0.1"
    assert of_spec(RunSpec("local", "python", command=command)) == {"name": "a b", "lr": "0.1"}
    assert of_spec(RunSpec("local", "python", command="echo 'a")) == {}
    assert of_spec(None) == {}


def test_a_number_is_finite() -> None:
    texts = ["1e-3", " 7 ", "nan", "inf", "1e999", "x", ""]
    assert [as_number(text) for text in texts] == [0.001, 7.0, None, None, None, None, None]
