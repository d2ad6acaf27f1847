"""Makes a libtorch for the CPU out of PyTorch's wheel: `fetch-libtorch.py VERSION FOLDER [PLATFORM]`.

Called by `with-libtorch`. Standard library only, and pip for the download, which it checks against
the hashes below. PyTorch's wheels for Linux are CUDA builds: of their libraries only those that
`libtorch_cpu.so` needs are kept, and two small ones of CUDA that it is linked to come from wheels
of their own. FOLDER appears only when it is complete.
"""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

# The wheels for one Python, whichever Python runs this: only C++ headers and libraries are used.
PYTHON_TAGS = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"]
WHEELS = {
    "linux-x86_64": {
        "torch==2.13.0": "796633c4cdf0fe2cdced72d8f88f22e73dbcfce83132763162f6d4bff13b820b",
        "nvidia-cuda-runtime==13.0.96": "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
        "nvidia-cuda-cupti==13.0.85": "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
    },
    "linux-aarch64": {
        "torch==2.13.0": "572df8be8ffb4599c88cbd6a0726f1f854f4da65d2e3c09f0e2c2283333cd6d4",
        "nvidia-cuda-runtime==13.0.96": "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
        "nvidia-cuda-cupti==13.0.85": "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
    },
    "macos-arm64": {
        "torch==2.13.0": "2fe228aba290d14b9f31b049be550dbd469c3fd3013d7a19705b30454da97027",
    },
}
# Libraries of the wheel that a CPU-only libtorch does without.
LEFT_OUT = ("cuda", "nvshmem", "nvrtc", "libtorch_python", "libtorch_global_deps", "libshm")
# What is taken from CUDA's own wheels: libtorch_cpu.so is linked to it, and never calls it here.
CUDA_STUBS = ("libcudart.so", "libcupti.so")


def main():
    version, target = sys.argv[1], pathlib.Path(sys.argv[2]).absolute()
    name = sys.argv[3] if len(sys.argv) > 3 else this_platform()
    start = time.monotonic()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"cannot create {target.parent}: {error.strerror}.", "Set XDG_CACHE_HOME to a folder of yours.")
    with tempfile.TemporaryDirectory(prefix=target.name + ".", dir=target.parent) as work:
        work = pathlib.Path(work)
        download(name, version, work / "wheels")
        say(f"unpacking ({time.monotonic() - start:.0f} s so far)")
        made = work / "libtorch"
        for wheel in sorted((work / "wheels").iterdir()):
            unpack(wheel, made)
            wheel.unlink()
        complete(made, name, version)
        try:
            made.rename(target)
        except OSError:
            # Another process was faster, or a broken folder is in the way.
            if (target / "build-version").exists():
                say("another process made it meanwhile")
            else:
                shutil.rmtree(target)
                made.rename(target)
    say(f"made in {time.monotonic() - start:.0f} s, {size_in_mb(target):.0f} MB on disk")


def this_platform():
    system = {"Linux": "linux", "Darwin": "macos"}.get(platform.system(), platform.system().lower())
    machine = platform.machine().lower()
    name = f"{system}-{machine}"
    if name not in WHEELS:
        fail(
            f"PyTorch publishes no wheel for {name} (only for {', '.join(WHEELS)}).",
            "Set LIBTORCH to a libtorch that you built or downloaded.",
        )
    if system == "linux" and platform.libc_ver()[0] != "glibc":
        fail(
            "PyTorch's libraries need glibc, and this system has another C library (musl?).",
            "Set LIBTORCH to a libtorch built for it, or use a glibc system.",
        )
    return name


def download(name, version, folder):
    wheels = WHEELS[name]
    if f"torch=={version}" not in wheels:
        fail(f"no hash of PyTorch {version} for {name} is stored in {__file__}")
    folder.mkdir()
    requirements = folder.parent / "requirements.txt"
    requirements.write_text(
        "".join(f"{wheel} --hash=sha256:{digest}\n" for wheel, digest in wheels.items())
    )
    command = [sys.executable, "-m", "pip", "download", "--dest", str(folder), "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--no-cache-dir", *PYTHON_TAGS]
    for tag in platform_tags(name):
        command += ["--platform", tag]
    if not sys.stderr.isatty():
        command.append("--quiet")
    # In a folder of our own: `-m` looks into the current one first.
    version_check = [*command[:3], "--version"]
    if subprocess.run(version_check, capture_output=True, cwd=folder).returncode != 0:
        fail(
            f"{sys.executable} has no pip, which downloads PyTorch's wheel.",
            "Install it (package python3-pip, or `python3 -m ensurepip`).",
        )
    say(f"downloading {', '.join(wheels)} for {name}")
    # pip's own reports go to standard error: standard output belongs to the user's command.
    command += ["--requirement", str(requirements)]
    if subprocess.run(command, stdout=sys.stderr, cwd=folder).returncode != 0:
        fail("pip could not download PyTorch, or what came has another hash (its message is above).")


def platform_tags(name):
    system, machine = name.split("-")
    if system == "macos":
        return [f"macosx_14_0_{machine}"]
    return [f"manylinux_2_{glibc}_{machine}" for glibc in (28, 27, 26, 25, 24, 17)] + [
        f"manylinux2014_{machine}"
    ]


def unpack(wheel, made):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            place = placement(member.filename)
            if place is None or member.is_dir():
                continue
            destination = made / place
            destination.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(destination, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)


def placement(member):
    """Where a file of a wheel belongs in libtorch's folder; None if nowhere."""
    path = pathlib.PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts:
        fail(f"the wheel holds a file that belongs outside of it: {member}")
    if path.parts[:2] == ("torch", "include"):
        return path.relative_to("torch")
    library = ".so" in path.name or path.suffix == ".dylib"
    if path.parts[:2] == ("torch", "lib") and library:
        if path.name == "libtorch.so" or any(word in path.name for word in LEFT_OUT):
            return None
        return path.relative_to("torch")
    if path.parts[0] == "nvidia" and path.name.startswith(CUDA_STUBS):
        return pathlib.PurePosixPath("lib", path.name)
    return None


def complete(made, name, version):
    """Adds what the build looks for, and tries to load the result."""
    library = made / "lib" / ("libtorch_cpu.dylib" if name.startswith("macos") else "libtorch_cpu.so")
    if not library.exists() or not (made / "include" / "torch").is_dir():
        fail(f"the wheel of PyTorch {version} for {name} is not laid out as expected")
    if name.startswith("linux"):
        # The wheel's own libtorch.so is an empty library that asks for the CUDA ones.
        (made / "lib" / "libtorch.so").write_text("INPUT(libtorch_cpu.so)\n")
        (made / "lib" / "libgomp.so").symlink_to("libgomp.so.1")
    (made / "build-version").write_text(f"{version}\n")
    if name == this_platform():
        say("loading it once")
        variable = "DYLD_LIBRARY_PATH" if name.startswith("macos") else "LD_LIBRARY_PATH"
        environment = {**os.environ, variable: str(made / "lib")}
        check = [sys.executable, "-I", "-c", f"import ctypes; ctypes.CDLL({str(library)!r})"]
        loaded = subprocess.run(check, env=environment, capture_output=True, text=True)
        if loaded.returncode != 0:
            fail("the library does not load:", loaded.stderr.strip().splitlines()[-1])


def size_in_mb(folder):
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def say(message):
    print(f"with-libtorch: {message}", file=sys.stderr, flush=True)


def fail(*lines):
    say("error: " + "\nwith-libtorch:   ".join(lines))
    sys.exit(1)


if __name__ == "__main__":
    main()
