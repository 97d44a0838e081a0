import os
import shutil

import pytest

from ochp_chs.serving import identity
from ochp_chs.serving.errors import EmbeddedPostgresError
from ochp_chs.serving.identity import identity_for


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


@pytest.fixture
def open_dir(tmp_path_factory):
    """A directory that everybody can reach; pytest's own are private."""
    path = tmp_path_factory.getbasetemp()
    while not all(parent.stat().st_mode & 1 for parent in (path / "x").parents):
        path = path.parent
    return path


def capabilities(monkeypatch, *numbers):
    monkeypatch.setattr(identity, "_effective_capabilities", lambda: sum(1 << n for n in numbers))


def test_ordinary_user_runs_it_as_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    found = identity_for(tmp_path / "postgres", ())

    assert (found.uid, found.prefix) == (4711, ())


def test_cluster_of_another_user_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    with pytest.raises(EmbeddedPostgresError, match="belongs to user"):
        identity_for(tmp_path, ())


@pytest.mark.usefixtures("as_root")
class TestRoot:
    def test_runs_it_as_an_unprivileged_user(self, open_dir):
        found = identity_for(open_dir / "postgres", (open_dir,))

        assert found.uid != 0
        assert found.prefix[0] == "/usr/bin/setpriv"
        assert f"--reuid={found.uid}" in found.prefix
        assert not any("caps" in part for part in found.prefix)

    def test_private_parent_directory_takes_one_capability(self, tmp_path, monkeypatch):
        capabilities(monkeypatch, 1, 2)
        tmp_path.chmod(0o700)

        found = identity_for(tmp_path / "postgres", (tmp_path / "postgres",))

        assert "--ambient-caps=+dac_read_search" in found.prefix
        assert tmp_path.stat().st_mode & 0o777 == 0o700

    def test_container_without_the_narrow_capability_takes_the_wide_one(
        self, tmp_path, monkeypatch
    ):
        capabilities(monkeypatch, 1)
        tmp_path.chmod(0o700)

        found = identity_for(tmp_path / "postgres", (tmp_path / "postgres",))

        assert "--ambient-caps=+dac_override" in found.prefix

    def test_unreachable_without_any_capability(self, tmp_path, monkeypatch):
        capabilities(monkeypatch)
        tmp_path.chmod(0o700)

        with pytest.raises(EmbeddedPostgresError, match="cannot reach"):
            identity_for(tmp_path / "postgres", (tmp_path / "postgres",))

    def test_missing_setpriv_is_named(self, open_dir, monkeypatch):
        monkeypatch.setattr(shutil, "which", lambda _: None)

        with pytest.raises(EmbeddedPostgresError, match="setpriv"):
            identity_for(open_dir / "postgres", ())
