"""Repositories on disk: a commit lists all its files, contents are kept by their hash, a branch names a commit."""

import hashlib
import json
import re
import secrets
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from .errors import HubError, entry_not_found, revision_not_found

KINDS = ("models", "datasets", "spaces")
COMMIT_ID = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a commit. `oid` is its git blob id, or that of its pointer when it lives in the large file storage."""

    oid: str
    size: int
    sha256: str
    lfs: bool

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A state of a repository, whole."""

    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    files: dict[str, StoredFile]


@dataclass(kw_only=True)
class Settings:
    """What a repository is besides its files. `gated` is False, "auto" or "manual"."""

    owner: str
    created: str
    private: bool = False
    gated: bool | str = False
    granted: list[str] = field(default_factory=list)
    sdk: str | None = None
    hardware: str = "cpu-basic"
    stage: str = "NO_APP_FILE"
    restarts: int = 0
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)


def now() -> str:
    """The Hub's way to write a date, the only one that the client reads."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def lfs_pointer(sha256: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def check_path(path: str) -> None:
    """Refuse what cannot be a file in a repository."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..", ".git") for part in parts) or "\\" in path or "\0" in path:
        raise HubError(400, f"Invalid path in repository: {path!r}")


class Repo:
    """One repository, in a folder of its own."""

    def __init__(self, store: "Store", kind: str, name: str) -> None:
        self.store = store
        self.kind = kind
        self.name = name
        self.folder = store.root / kind / name

    @property
    def settings(self) -> Settings:
        return Settings(**json.loads((self.folder / "settings.json").read_bytes()))

    def change_settings(self, **changes: Any) -> None:
        with self.store.lock:
            settings = asdict(self.settings) | changes
            write_whole(self.folder / "settings.json", json.dumps(settings).encode())

    def refs(self, kind: str) -> dict[str, str]:
        """Name to commit id, of `heads` or `tags`."""
        folder = self.folder / kind
        return {unquote(path.name): path.read_text() for path in sorted(folder.glob("*")) if path.suffix != ".part"}

    def set_ref(self, kind: str, name: str, commit: str) -> None:
        write_whole(self.folder / kind / quote(name, safe=""), commit.encode())

    def delete_ref(self, kind: str, name: str) -> None:
        path = self.folder / kind / quote(name, safe="")
        if not path.exists():
            raise revision_not_found(name)
        path.unlink()

    def resolve(self, revision: str) -> Commit:
        """The commit of a branch, a tag or a full commit id."""
        with self.store.lock:
            for kind in ("heads", "tags"):
                refs = self.refs(kind)
                name = revision.removeprefix(f"refs/{kind}/")
                if name in refs:
                    return self.load(refs[name])
            if COMMIT_ID.fullmatch(revision) and (self.folder / "commits" / f"{revision}.json").exists():
                return self.load(revision)
        raise revision_not_found(revision)

    def load(self, commit: str) -> Commit:
        fields = json.loads((self.folder / "commits" / f"{commit}.json").read_bytes())
        files = {path: StoredFile(**file) for path, file in fields.pop("files").items()}
        return Commit(id=commit, files=files, **fields)

    def history(self, commit: Commit) -> list[Commit]:
        """Newest first."""
        commits = [commit]
        while commits[-1].parent is not None:
            commits.append(self.load(commits[-1].parent))
        return commits

    def commit(
        self,
        changes: Mapping[str, StoredFile | None],
        *,
        branch: str = "main",
        title: str = "Change files",
        message: str = "",
        author: str = "",
        parent: str | None = None,
    ) -> Commit:
        """Put files (None: take them away) on top of a branch, all at once.

        Args:
            changes: By path; a path ending in `/` with None takes a folder away.
            parent: The commit that must still be the branch's newest, or any.
        """
        with self.store.lock:
            heads = self.refs("heads")
            if branch not in heads and heads:
                raise revision_not_found(branch)
            head = self.load(heads[branch]) if branch in heads else None
            if parent is not None and (head is None or head.id != parent):
                raise HubError(412, "A commit has happened since. Please refresh and try again.")
            files = dict(head.files) if head else {}
            for path, file in changes.items():
                if file is not None:
                    files[path] = file
                elif path in files:
                    del files[path]
                elif inside := [name for name in files if path.endswith("/") and name.startswith(path)]:
                    for name in inside:
                        del files[name]
                else:
                    raise entry_not_found(f"{path}: A file with this name doesn't exist")
            fields = {
                "parent": head.id if head else None,
                "title": title,
                "message": message,
                "author": author,
                "date": now(),
                "files": {path: asdict(file) for path, file in sorted(files.items())},
            }
            content = json.dumps(fields).encode()
            commit = hashlib.sha1(self.name.encode() + content, usedforsecurity=False).hexdigest()
            write_whole(self.folder / "commits" / f"{commit}.json", content)
            self.set_ref("heads", branch, commit)
            return self.load(commit)


class Store:
    """All repositories and all contents, under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = threading.RLock()
        for name in (*KINDS, "contents"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def repo(self, kind: str, name: str) -> Repo | None:
        repo = Repo(self, kind, name)
        return repo if (repo.folder / "settings.json").exists() else None

    def create(self, kind: str, name: str, **settings: Any) -> Repo:
        repo = Repo(self, kind, name)
        fields = Settings(owner=name.split("/")[0], created=now(), **settings)
        write_whole(repo.folder / "settings.json", json.dumps(asdict(fields)).encode())
        return repo

    def delete(self, kind: str, name: str) -> None:
        with self.lock:
            shutil.rmtree(self.root / kind / name)

    def content_path(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise HubError(400, f"Invalid sha256: {sha256!r}")
        return self.root / "contents" / sha256

    def keep(self, content: bytes, lfs: bool) -> StoredFile:
        """Put a content aside for a commit."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.content_path(sha256)
        if not path.exists():
            write_whole(path, content)
        return StoredFile(
            oid=git_oid(lfs_pointer(sha256, len(content)) if lfs else content),
            size=len(content),
            sha256=sha256,
            lfs=lfs,
        )

    def kept(self, sha256: str) -> StoredFile:
        """A large content that was uploaded before."""
        path = self.content_path(sha256)
        if not path.exists():
            raise HubError(400, f"LFS pointer pointed to a file that does not exist: {sha256}")
        size = path.stat().st_size
        return StoredFile(oid=git_oid(lfs_pointer(sha256, size)), size=size, sha256=sha256, lfs=True)

    def read(self, file: StoredFile) -> bytes:
        return self.content_path(file.sha256).read_bytes()
