"""Make the clients that tests/clients opens the published file with: older DuckDBs for Python and the shell, and Node's.

``python tests/clients/make.py`` puts each in a folder of its own under ``.cache/clients``, from the locks beside this
file, and leaves alone what is there already. A client that cannot be made is named, and its tests skip.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parents[1] / ".cache" / "clients"
RELEASES = ("1.4", "1.5")
STAMP = "made-from.lock"


def python_of(release: str) -> Path:
    """The interpreter of the environment that holds a DuckDB release."""
    return CLIENTS / f"duckdb-{release}" / "bin" / "python"


def shell_of(release: str) -> Path:
    """The DuckDB shell of that release, beside its interpreter."""
    return python_of(release).with_name("duckdb")


def node_folder() -> Path:
    return CLIENTS / "node"


def make_python(release: str) -> None:
    """A virtual environment with the duckdb package and shell of one release, every file checked by its hash."""
    lock, folder = HERE / f"duckdb-{release}.lock", CLIENTS / f"duckdb-{release}"
    if is_made(folder, lock):
        return
    venv.create(folder, clear=True, with_pip=True)
    install = (
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--requirement",
        lock,
    )
    subprocess.run([python_of(release), *install], check=True)
    shutil.copyfile(lock, folder / STAMP)


def make_node() -> None:
    """A folder with @duckdb/node-api. Raises FileNotFoundError where npm is not installed.

    `npm install`, not `npm ci`: the lock has the hashes of the Linux binaries, and `ci` refuses a lock that lacks those of
    other systems. What the lock names is held against its hash all the same.
    """
    lock, folder = HERE / "node" / "package-lock.json", node_folder()
    if is_made(folder, lock):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "ask.mjs"):
        shutil.copyfile(HERE / "node" / name, folder / name)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True)
    shutil.copyfile(lock, folder / STAMP)


def is_made(folder: Path, lock: Path) -> bool:
    """Whether a client's folder was made from just this lock."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_bytes() == lock.read_bytes()


def main() -> int:
    """Make every client; exits 1 where one could not be made."""
    failed = False
    makers = {f"DuckDB {release}": lambda release=release: make_python(release) for release in RELEASES}
    for name, make in {**makers, "Node": make_node}.items():
        try:
            make()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name}: not made: {error}", file=sys.stderr)
            failed = True
        else:
            print(f"{name}: ready")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
