"""A PostgreSQL server of the tests' own: its folder, its socket, its passwords."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

WORD = "a secret: with/odd@letters"
URL_WORD = "a%20secret%3A%20with%2Fodd%40letters"


def server_programs() -> Path | None:
    """Folder of the newest installed server's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class PostgresServer:
    """A server that listens on a socket alone; it refuses to run as root, so root lends it another user."""

    word = URL_WORD

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="custvalue-pg-"))
        self.as_user: list[str] = []
        if os.geteuid() == 0:
            user = next(name for name in ("postgres", "nobody") if any(entry.pw_name == name for entry in pwd.getpwall()))
            shutil.chown(self.folder, user)
            self.as_user = ["runuser", "-u", user, "--"]
        (self.folder / "password").write_text(WORD, encoding="utf-8")
        (self.folder / "password").chmod(0o644)
        self._run("initdb", "-D", self.data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", self.folder / "password", "-E", "UTF8", "-N")
        settings = f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nfsync = off\nlc_messages = 'C'\n"
        self._run("sh", "-c", f'printf %s "{settings}" >> {self.data}/postgresql.conf')
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, user: str = "owner", word: str = URL_WORD, database: str = "postgres") -> str:
        return f"postgresql://{user}:{word}@/{database}?host={self.folder}"

    def ask(self, statement: str, *values: object) -> Any:
        """Run one statement beside the code under test, and give its rows."""
        import psycopg

        with psycopg.connect(self.url()) as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else found.rowcount

    def start(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: object) -> None:
        own = self.programs / program
        command = [*self.as_user, str(own if own.exists() else program), *map(str, arguments)]
        # a server that inherits the tests' pipes would keep them open
        done = subprocess.run(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)
