from __future__ import annotations

import json
from pathlib import Path

import pytest

from zaffre.contract.errors import Invalid
from zaffre.server.settings import load


def test_the_environment_beats_the_file_and_the_file_the_default(tmp_path: Path) -> None:
    content = {"idle_exit_s": 60, "local_slots": 3, "host_names": ["lab"], "team": True}
    (tmp_path / "settings.json").write_text(json.dumps(content))
    settings = load(tmp_path, {"ZAFFRE_LOCAL_SLOTS": "5", "ZAFFRE_TEAM": "no"})
    assert (settings.idle_exit_s, settings.slots) == (60.0, 5)
    assert settings.host_names == ("lab",)
    assert not settings.team


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('{"idle_exit": 5}', "idle_exit"),
        ('{"idle_exit_s": "soon"}', "idle_exit_s"),
        ('{"local_slots": -1}', "local_slots"),
        ('{"team": "perhaps"}', "team"),
        ('{"host_names": 5}', "host_names"),
        ('{"home": "/x"}', "home"),
        ("[]", "settings.json"),
        ("{", "settings.json"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, content: str, field: str) -> None:
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(Invalid) as refused:
        load(tmp_path, {})
    assert refused.value.field == field
