"""The built wheel, installed where nothing of the repository can be seen."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, REPOSITORY]
    done = subprocess.run(build, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("wsss-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    return site


def packages(folder: str) -> set[str]:
    return {path.parent.name for path in (REPOSITORY / folder).glob("*/__init__.py")}


def test_the_wheel_holds_our_packages_and_no_others(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names if ".dist-info" not in name.partition("/")[0]}
    assert top == {"wsss_cli", *packages("methods"), *packages("datasets")}
    assert {"wsss_cli", "wsss_irn", "wsss_shapes", "wsss_voc"} <= top and not {"datasets", "methods", "tests"} & top


def test_the_wheel_holds_what_is_no_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for root in (REPOSITORY, REPOSITORY / "methods", REPOSITORY / "datasets"):
        for package in root.glob("wsss_*"):
            data = [p for p in package.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")]
            assert f"{package.name}/py.typed" in names
            assert {p.relative_to(root).as_posix() for p in data} <= names
    assert any(name.startswith("wsss_irn/recipes/") for name in names)


def test_the_oldest_libraries_are_those_of_the_lower_bounds() -> None:
    """`make oldest` installs what pyproject.toml promises to work with."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lower = {name: Version(bound) for name, bound in (line.split(">=") for line in project["dependencies"])}
    lines = (REPOSITORY / ".ci/oldest.txt").read_text().splitlines()
    pinned = {n: Version(v) for n, v in (line.split("==") for line in lines if not line.startswith("#"))}
    assert {name: pinned[name] for name in lower} == lower


def run(installed: Path, folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Python that sees the installed wheel and the libraries (which may lie in REPOSITORY/.venv), not our sources."""
    sources = [str(REPOSITORY / folder) for folder in (".", "methods", "datasets")]
    hide = f"import sys; sys.path[:] = [p for p in sys.path if p and p not in {sources!r}]\n"
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "RANK", "WORLD_SIZE")}
    command = [sys.executable, "-c", hide + code]
    path = {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=env | path, capture_output=True, text=True, timeout=120)


def test_the_command_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    code = (
        "import wsss_cli.app, wsss_irn\n"
        f"assert all(m.__file__.startswith({str(installed)!r}) for m in (wsss_cli, wsss_irn))\n"
        "sys.argv = ['wsss', 'methods']\n"
        "wsss_cli.app.main()"
    )
    done = run(installed, tmp_path, code)
    assert done.returncode == 0, done.stderr
    assert "│ irn" in done.stdout and done.stderr == ""


def test_the_script_is_there(installed: Path) -> None:
    assert (installed / "bin/wsss").exists()


def test_every_module_of_the_wheel_imports(installed: Path, tmp_path: Path) -> None:
    """A module that reaches for the tests, or for a file that is not packed, fails here."""
    code = (
        "import importlib, pathlib, warnings\n"
        "warnings.simplefilter('ignore')\n"
        f"site = pathlib.Path({str(installed)!r})\n"
        "for path in sorted(site.glob('wsss_*/**/*.py')):\n"
        "    name = '.'.join(path.relative_to(site).with_suffix('').parts).removesuffix('.__init__')\n"
        "    if not name.endswith('__main__'): importlib.import_module(name)\n"
    )
    done = run(installed, tmp_path, code)
    assert done.returncode == 0, done.stderr
