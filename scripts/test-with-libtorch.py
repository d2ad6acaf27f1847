#!/usr/bin/env python3
"""Tests `with-libtorch`, `gpu-check` and `fetch-libtorch.py` on folders that pass for libtorch; no network."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

SCRIPTS = pathlib.Path(__file__).resolve().parent
VERSION, OTHER = "2.13.0", "2.4.1"

# Prints the environment that the wrapped command gets.
COMMAND = [sys.executable, "-S", "-c", "import json, os; print(json.dumps(dict(os.environ)))"]

# This interpreter without its packages. `torch` can be imported only where a test puts one, and
# fetching writes what $FETCHED is a copy of.
PYTHON = f"""#!/bin/sh
case $1 in
    */fetch-libtorch.py) echo "fetching $2" >&2; cp -R "${{FETCHED:?}}/." "$3" ;;
    *) exec '{sys.executable}' -S "$@" ;;
esac
"""

# `pip download`: puts the wheels in $WHEELS into the folder after --dest.
PIP = """import os, pathlib, shutil, sys
arguments = sys.argv[1:]
if "download" in arguments:
    assert "--require-hashes" in arguments, arguments
    folder = arguments[arguments.index("--dest") + 1]
    shutil.copytree(os.environ["WHEELS"], folder, dirs_exist_ok=True)
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def libtorch(folder, version=VERSION, header="headeronly/version.h", line_break=True):
    """A folder that passes for libtorch, its version written as PyTorch writes it."""
    header = folder / "include" / "torch" / header
    header.parent.mkdir(parents=True)
    between = "\\\n  " if line_break else ""
    header.write_text(f'#define TORCH_VERSION {between}"{version}"\n')
    (folder / "lib").mkdir()
    return folder


class Case(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="with-libtorch ")  # a name with a space in it
        self.addCleanup(made.cleanup)
        self.root = pathlib.Path(made.name).resolve()
        self.bin, self.site, self.system = (self.root / name for name in ("bin", "site", "system"))
        self.cache = self.root / "home" / ".cache" / "hnn" / f"libtorch-{VERSION}"
        self.site.mkdir()
        # Modules of the current folder must not be run.
        self.current = self.root / "current"
        for name in ("glob", "ctypes", "pip", "torch", "zipfile", "tempfile"):
            script(self.current / f"{name}.py", "import os; open('run', 'w'); os._exit(9)\n")
        self.addCleanup(lambda: self.assertFalse((self.current / "run").exists()))
        script(self.bin / "python3", PYTHON)
        script(self.bin / "c++", "#!/bin/sh\n")
        self.set_system("Linux")
        for tool in ("bash", "cp", "dirname", "head", "sed", "sh"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.environment = {
            "PATH": str(self.bin), "HOME": str(self.root / "home"), "PYTHONPATH": str(self.site),
        }

    def set_system(self, name):
        script(self.bin / "uname", f"#!/bin/sh\necho {name}\n")

    def python_torch(self, version=VERSION):
        """A PyTorch in the active Python's packages."""
        torch = libtorch(self.site / "torch", version)
        (torch / "__init__.py").write_text("raise RuntimeError('the wrapper must not import it')\n")
        return torch

    def execute(self, command, variables):
        environment = {**self.environment, **{name: str(value) for name, value in variables.items()}}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, cwd=self.current
        )


class WithWrapper(Case):
    def setUp(self):
        super().setUp()
        # A copy that takes a folder of ours for the system's.
        text = (SCRIPTS / "with-libtorch").read_text()
        self.assertEqual(text.count("readonly system=/usr "), 1)
        self.assertIn(f"readonly VERSION={VERSION} ", text)
        self.wrapper = self.root / "scripts" / "with-libtorch"
        script(self.wrapper, text.replace("system=/usr ", f"system='{self.system}' "))


class Wrapper(WithWrapper):
    def run_wrapper(self, *command, **variables):
        return self.execute([shutil.which("bash"), str(self.wrapper), *command], variables)

    def finds(self, folder, message, libraries=None, **variables):
        """The command runs with LIBTORCH and LD_LIBRARY_PATH; returns its environment."""
        ran = self.run_wrapper(*COMMAND, **variables)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn(message, ran.stderr)
        seen = json.loads(ran.stdout)
        self.assertEqual(seen["LIBTORCH"], str(folder))
        libraries = libraries or [folder / "lib"]
        self.assertEqual(seen.get("LD_LIBRARY_PATH"), ":".join(map(str, libraries)))
        return seen

    def refuses(self, *messages, **variables):
        """The command does not run, and each of `messages` is said."""
        ran = self.run_wrapper(*COMMAND, **variables)
        self.assertEqual((ran.returncode, ran.stdout), (1, ""), ran.stderr)
        for message in ("error: ", *messages):
            self.assertIn(message, ran.stderr)

    def test_help(self):
        for arguments, status in (([], 2), (["-h"], 0), (["--help"], 0)):
            ran = self.run_wrapper(*arguments)
            self.assertEqual((ran.returncode, ran.stdout), (status, ""))
            self.assertIn("Runs a command with what the `tch` feature needs", ran.stderr)
            self.assertNotIn("set -euo", ran.stderr)

    def test_the_command_s_status_is_passed_on(self):
        ran = self.run_wrapper("sh", "-c", "exit 7", LIBTORCH=libtorch(self.root / "mine"))
        self.assertEqual(ran.returncode, 7)

    def test_libtorch_is_taken_first(self):
        mine = libtorch(self.root / "mine")
        self.python_torch()
        message = f"using libtorch {VERSION} from LIBTORCH={mine}"
        self.finds(mine, message, LIBTORCH=mine, LIBTORCH_USE_PYTORCH=1)
        libraries = [mine / "lib", "/others"]
        self.finds(mine, message, libraries, LIBTORCH=mine, LD_LIBRARY_PATH="/others")
        self.finds(mine, message, LIBTORCH=mine, PYTHON="no-python")

    def test_every_form_of_the_version_s_header(self):
        for header in ("headeronly/version.h", "csrc/api/include/torch/version.h"):
            for line_break in (True, False):
                folder = self.root / f"{header} {line_break}"
                mine = libtorch(folder, header=header, line_break=line_break)
                self.finds(mine, "using libtorch", LIBTORCH=mine)

    def test_a_wrong_libtorch_is_an_error(self):
        self.python_torch()
        self.refuses(f"LIBTORCH={self.root} is no libtorch", "include/torch", LIBTORCH=self.root)
        self.refuses("is no libtorch", LIBTORCH="/does/not/exist")
        half = libtorch(self.root / "half")
        (half / "lib").rmdir()
        self.refuses("is no libtorch", LIBTORCH=half)
        mine = libtorch(self.root / "mine", OTHER)
        self.refuses(f"is libtorch {OTHER}, and tch needs {VERSION}", LIBTORCH=mine)
        asked = {"LIBTORCH": mine, "LIBTORCH_BYPASS_VERSION_CHECK": 1}
        seen = self.finds(mine, f"using libtorch {OTHER}", CXXFLAGS="-g0", **asked)
        self.assertEqual(seen["CXXFLAGS"], "-include older-libtorch.hpp -g0")
        self.assertEqual(seen["CPLUS_INCLUDE_PATH"], str(self.wrapper.parent))
        self.assertTrue((SCRIPTS / "older-libtorch.hpp").exists())

    def test_pytorch_where_it_is_asked_for(self):
        self.refuses("python3 has no PyTorch", f"torch=={VERSION}", LIBTORCH_USE_PYTORCH=1)
        torch = self.python_torch(OTHER)
        self.refuses(f"has PyTorch {OTHER}, and tch needs {VERSION}", LIBTORCH_USE_PYTORCH=1)
        asked = {"LIBTORCH_USE_PYTORCH": 1, "LIBTORCH_BYPASS_VERSION_CHECK": 1}
        seen = self.finds(torch, f"using the PyTorch {OTHER} of ", **asked)
        self.assertNotIn("LIBTORCH_USE_PYTORCH", seen)

    def test_pytorch_goes_before_the_system_only_where_it_is_asked_for(self):
        torch = self.python_torch()
        libtorch(self.system)
        self.finds(torch, "using the PyTorch", LIBTORCH_USE_PYTORCH=1)
        self.finds(torch, "using the PyTorch")  # no libtorch.so there yet
        (self.system / "lib" / "libtorch.so").touch()
        self.finds(self.system, f"using the system's libtorch {VERSION} in {self.system}")

    def test_the_active_python_s_pytorch_and_its_cuda_libraries(self):
        torch = self.python_torch()
        libtorch(self.cache)
        cuda = [self.site / "nvidia" / name / "lib" for name in ("cu13", "cudnn")]
        for folder in cuda:
            folder.mkdir(parents=True)
        self.finds(torch, f"using the PyTorch {VERSION} of ", [torch / "lib", *cuda])
        script(self.root / "other" / "python", PYTHON)
        (self.bin / "python3").unlink()
        other = self.root / "other" / "python"
        self.finds(torch, "using the PyTorch", [torch / "lib", *cuda], PYTHON=other)

    def test_another_pytorch_is_passed_over(self):
        self.python_torch(OTHER)
        libtorch(self.cache)
        message = f"the PyTorch of python3 is {OTHER}, and tch needs {VERSION}: not used"
        self.finds(self.cache, message)

    def test_the_cache(self):
        message = f"using libtorch {VERSION} in "
        self.finds(libtorch(self.cache), message)
        self.finds(self.cache, message, PYTHON="no-python")
        elsewhere = libtorch(self.root / "xdg" / "hnn" / f"libtorch-{VERSION}")
        self.finds(elsewhere, message, XDG_CACHE_HOME=self.root / "xdg")

    def test_what_is_missing_is_fetched_once(self):
        fetched = libtorch(self.root / "fetched")
        self.cache.parent.mkdir(parents=True)
        self.finds(self.cache, f"fetching {VERSION}", FETCHED=fetched)
        self.finds(self.cache, "using libtorch", FETCHED="/does/not/exist")

    def test_what_cannot_be_fetched_is_an_error(self):
        self.refuses("libtorch was not fetched", "without network access", FETCHED="/does/not/exist")
        self.refuses("no no-python, which unpacks", "tch-download-libtorch", PYTHON="no-python")

    def test_macos_has_another_variable(self):
        self.set_system("Darwin")
        mine = libtorch(self.root / "mine")
        ran = self.run_wrapper(*COMMAND, LIBTORCH=mine, DYLD_LIBRARY_PATH="/others")
        seen = json.loads(ran.stdout)
        self.assertEqual(seen["DYLD_LIBRARY_PATH"], f"{mine}/lib:/others")
        self.assertNotIn("LD_LIBRARY_PATH", seen)

    def test_a_missing_compiler_is_noted(self):
        mine = libtorch(self.root / "mine")
        note = "note: no C++ compiler found"
        self.assertNotIn(note, self.run_wrapper("sh", "-c", "", LIBTORCH=mine).stderr)
        (self.bin / "c++").unlink()
        self.finds(mine, note, LIBTORCH=mine)
        (self.bin / "clang++").symlink_to(shutil.which("sh"))
        self.assertNotIn(note, self.run_wrapper("sh", "-c", "", LIBTORCH=mine).stderr)


class GpuCheck(WithWrapper):
    """Running ready programs, which are scripts here that print their name and the device."""

    def setUp(self):
        super().setUp()
        shutil.copy(SCRIPTS / "gpu-check", self.wrapper.parent)
        self.programs = self.root / "programs"
        for name, status in (("hnn-models", 1), ("hnn", 0), ("benches", 0)):
            text = f'#!/bin/sh\necho {name} $HNN_DEVICE "$@"; exit {status}\n'
            script(self.programs / name, text)
        self.checkout = self.root / "checkout"
        (self.programs / "checkout").write_text(f"{self.checkout}\n")
        (self.checkout / "crates").mkdir(parents=True)
        self.torch = self.python_torch()

    def check(self, **variables):
        command = [shutil.which("bash"), str(self.wrapper.parent / "gpu-check")]
        command += ["--binaries", str(self.programs), "--quick"]
        return self.execute(command, variables)

    def assert_refused(self, *messages):
        ran = self.check()
        self.assertEqual((ran.returncode, ran.stdout), (1, ""), ran.stderr)
        for message in messages:
            self.assertIn(message, ran.stderr)

    def test_a_failure_is_told_after_all_have_run(self):
        lines = "hnn-models {0}\nhnn {0}\nbenches {0} --quick\n"
        ran = self.check(HNN_DEVICE="cpu")
        self.assertEqual((ran.returncode, ran.stdout), (1, lines.format("cpu")), ran.stderr)
        (self.torch / "lib" / "libtorch_cuda.so").touch()
        script(self.programs / "hnn-models", "#!/bin/sh\necho hnn-models $HNN_DEVICE\n")
        ran = self.check()
        self.assertEqual((ran.returncode, ran.stdout), (0, lines.format("cuda")), ran.stderr)

    def test_what_is_missing_is_an_error(self):
        self.assert_refused("has no lib/libtorch_cuda.so", "without CUDA")
        (self.checkout / "crates").rmdir()
        self.assert_refused(f"golden files of {self.checkout}", "ln -s")
        (self.programs / "checkout").unlink()
        self.assert_refused("holds no programs", "--build")
        (self.torch / "lib").rmdir()
        self.assert_refused("python3 has no PyTorch")


class Fetch(Case):
    def setUp(self):
        super().setUp()
        (self.site / "pip.py").write_text(PIP)
        (self.root / "wheels").mkdir()
        self.environment["WHEELS"] = str(self.root / "wheels")

    def wheel(self, name, *files):
        with zipfile.ZipFile(self.root / "wheels" / f"{name}.whl", "w") as archive:
            for file in files:
                archive.writestr(file, file)

    def fetch(self, *platform, version=VERSION, as_if="pass"):
        """Runs the program; `as_if` is done before, in its interpreter."""
        program = [str(SCRIPTS / "fetch-libtorch.py"), version, str(self.cache), *platform]
        start = "import sys; sys.path = [folder for folder in sys.path if folder]"
        start += f"; import platform, runpy; sys.argv = {program!r}; {as_if}"
        start += f"; runpy.run_path({program[0]!r}, run_name='__main__')"
        return self.execute([sys.executable, "-S", "-c", start], {})

    def assert_refused(self, ran, message):
        self.assertEqual((ran.returncode, ran.stdout), (1, ""), ran.stderr)
        self.assertIn(message, ran.stderr)
        self.assertFalse(self.cache.exists())

    def test_the_wheel_is_cut_down(self):
        dropped = ["torch/lib/libtorch_python.dylib", "torch/lib/libshm.dylib", "torch/nn/init.py"]
        kept = ["torch/lib/libtorch_cpu.dylib", "torch/lib/libc10.dylib", "torch/include/torch/a.h"]
        self.wheel("torch", *dropped, *kept)
        (self.cache / "include").mkdir(parents=True)  # a broken one makes way
        # On a Mac the library, which is none, would be loaded: so as if this were another machine.
        another = "platform.system = lambda: 'Linux'; platform.machine = lambda: 'x86_64'"
        another += "; platform.libc_ver = lambda: ('glibc', '')"
        ran = self.fetch("macos-arm64", as_if=another)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        files = {str(f.relative_to(self.cache)) for f in self.cache.rglob("*") if f.is_file()}
        self.assertEqual(files, {"build-version", *(name.removeprefix("torch/") for name in kept)})
        self.assertEqual([f.name for f in self.cache.parent.iterdir()], [self.cache.name])

    def test_a_library_that_does_not_load_is_not_kept(self):
        libraries = ["torch/lib/libtorch_cpu.so", "torch/lib/libtorch_cpu.dylib"]
        self.wheel("torch", *libraries, "torch/include/torch/a.h")
        self.assert_refused(self.fetch(), "the library does not load")

    def test_a_wheel_of_another_layout_is_refused(self):
        self.wheel("torch", "torch/somewhere/libtorch_cpu.so")
        self.assert_refused(self.fetch("linux-x86_64"), "is not laid out as expected")

    def test_a_wheel_that_reaches_out_of_its_folder_is_refused(self):
        for name in ("torch/include/../../../escaped.h", "/torch/lib/libc10.so", "torch/lib/../../x.so"):
            self.wheel("torch", "torch/lib/libtorch_cpu.so", "torch/include/torch/a.h", name)
            self.assert_refused(self.fetch("linux-x86_64"), "belongs outside of it")
            self.assertFalse(list(self.root.rglob("escaped.h")))

    def test_other_versions_and_systems_are_refused(self):
        self.assert_refused(self.fetch("linux-x86_64", version=OTHER), f"no hash of PyTorch {OTHER}")
        openbsd = self.fetch(as_if="platform.system = lambda: 'OpenBSD'")
        self.assert_refused(openbsd, "PyTorch publishes no wheel for openbsd-")
        musl = "platform.system = lambda: 'Linux'; platform.machine = lambda: 'x86_64'"
        musl = self.fetch(as_if=f"{musl}; platform.libc_ver = lambda: ('', '')")
        self.assert_refused(musl, "PyTorch's libraries need glibc")

    def test_no_pip_and_no_network(self):
        (self.site / "pip.py").write_text("import sys\nsys.exit('--version' not in sys.argv)\n")
        self.assert_refused(self.fetch("linux-x86_64"), "pip could not download PyTorch")
        (self.site / "pip.py").write_text("raise ImportError('as if there were none')\n")
        self.assert_refused(self.fetch("linux-x86_64"), "has no pip")


if __name__ == "__main__":
    unittest.main()
