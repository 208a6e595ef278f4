"""README's first example runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.timeout(180)
def test_the_first_example_trains_and_registers_a_model(project: Project) -> None:
    script, program = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    project.write("experiment_folder/training_script.py", script)
    output = project.run(program)
    assert "'Accuracy': 0.9" in output
    assert "Execution Summary" in output
    assert output.splitlines()[-1] == "classification_model version: 1"
