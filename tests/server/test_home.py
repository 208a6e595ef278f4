from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from zaffre.server import home


def test_a_home_has_one_server(tmp_path: Path) -> None:
    first = home.take(tmp_path / "h")
    with pytest.raises(home.HomeTaken, match="already"):
        home.take(tmp_path / "h")
    first.close()
    home.take(tmp_path / "h").close()


def test_a_home_is_closed_to_others_and_so_are_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "h"
    taken = home.take(path)
    home.owner_token(path)
    home.sealing_key(path)
    home.write_atomically(path / "server.json", "{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("token", "key", "server.json", "server.lock"):
        assert stat.S_IMODE((path / name).stat().st_mode) == 0o600
    taken.close()


def test_secrets_are_made_once(tmp_path: Path) -> None:
    assert home.owner_token(tmp_path) == home.owner_token(tmp_path)
    assert home.owner_token(tmp_path).startswith("zf_")
    assert home.sealing_key(tmp_path) == home.sealing_key(tmp_path)


NFS = 0x6969
EXT4 = 0xEF53


@pytest.mark.parametrize(
    ("magic", "holder", "refused"),
    [
        (NFS, {"host": "node7", "pid": 5}, True),
        (NFS, {"host": "here", "pid": 5}, False),
        (NFS, {}, False),
        (EXT4, {"host": "node7", "pid": 5}, False),
    ],
)
def test_a_home_on_a_network_file_system_is_left_to_the_host_that_serves_it(
    tmp_path: Path, magic: int, holder: dict[str, object], *, refused: bool
) -> None:
    sentence = home.foreign_host(tmp_path, holder, magic=magic, host="here")
    assert (sentence is not None) is refused
    if sentence is not None:
        assert "'node7'" in sentence
        assert "process 5" in sentence


def test_the_file_system_is_told(tmp_path: Path) -> None:
    assert home.file_system(Path("/proc")) == 0x9FA0
    assert home.file_system(tmp_path / "absent") == 0


def test_runs_folders_lie_apart_on_ext4(tmp_path: Path) -> None:
    home.take(tmp_path / "home").close()
    shown = subprocess.run(
        ["lsattr", "-d", tmp_path / "home" / "runs"], capture_output=True, text=True, check=False
    )
    if home.file_system(tmp_path) != 0xEF53 or shown.returncode != 0:
        pytest.skip("needs ext4 and lsattr")
    assert "T" in shown.stdout.split()[0]
    home.take(tmp_path / "home").close()


def test_the_port_is_kept_unless_somebody_has_it(tmp_path: Path) -> None:
    first = home.listen_on_port(tmp_path, "127.0.0.1", 0)
    port = first.getsockname()[1]
    first.close()
    again = home.listen_on_port(tmp_path, "127.0.0.1", 0)
    assert again.getsockname()[1] == port
    other = home.listen_on_port(tmp_path, "127.0.0.1", 0)
    assert other.getsockname()[1] != port
    with pytest.raises(home.HomeTaken):
        home.listen_on_port(tmp_path, "127.0.0.1", port)
    again.close()
    other.close()


def test_a_long_home_has_its_socket_in_a_folder_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    path.mkdir()
    found = home.socket_path(path)
    assert len(str(found)) <= 100
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700
    found.parent.chmod(0o755)
    with pytest.raises(home.HomeTaken):
        home.socket_path(path)
    found.parent.rmdir()


def test_the_scripts_path_entry_holds_two_packages_and_nothing_else(tmp_path: Path) -> None:
    folder = home.link_sdk(tmp_path)
    assert home.link_sdk(tmp_path) == folder
    assert sorted(entry.name for entry in folder.iterdir()) == ["azureml", "zaffre"]
    assert (folder / "zaffre" / "server").is_dir()
