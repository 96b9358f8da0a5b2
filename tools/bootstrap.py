"""Make the project's virtual environment, once: python3 tools/bootstrap.py LOCK [LOCK ...]

Installs the named lock files (with their hashes) into .venv and remembers what it installed, so that the next call
does nothing. Every failure is one line that says what to do. The syntax is old on purpose: any Python must be able
to read this file, to be told that it is too old.
"""

import hashlib
import os
import re
import subprocess
import sys

NEEDED = (3, 11, 5)  # pymdown-extensions 13.1 asks for 3.11.5
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.environ.get("VENV") or os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.txt")
LOG = os.path.join(VENV, "install.log")


def stop(message):
    """Print one line and end the program with status 1."""
    sys.stderr.write("%s\n" % message)
    sys.exit(1)


def needed_text():
    return ".".join(str(n) for n in NEEDED)


def newer_python():
    """Return the path of a Python on the PATH that is new enough, or None."""
    for name in ["python3.%d" % minor for minor in range(19, 10, -1)] + ["python3", "python"]:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and not os.path.isdir(path):
                code = "import sys; sys.exit(sys.version_info < (%d, %d, %d))" % NEEDED
                try:
                    with open(os.devnull, "w") as null:
                        if subprocess.call([path, "-c", code], stdout=null, stderr=null) == 0:
                            return path
                except OSError:
                    pass
    return None


def digest(lock):
    """Return a line that changes when the lock or the Python changes: 'requirements.txt sha256 3.11.7'."""
    try:
        with open(os.path.join(ROOT, lock), "rb") as handle:
            data = handle.read()
    except IOError:
        stop("%s: no such lock file. Run this from a complete clone, or make it: make lock" % lock)
    version = ".".join(str(n) for n in sys.version_info[:3])
    return "%s %s %s" % (lock, hashlib.sha256(data).hexdigest(), version)


def installed():
    try:
        with open(STAMP) as handle:
            return handle.read().split("\n") if os.path.exists(PYTHON) else []
    except IOError:
        return []


def outdated(have, wanted):
    """Return the lines of wanted locks that are installed with other content or for another Python."""
    locks = [line.split()[0] for line in wanted]
    return [line for line in have if line and line.split()[0] in locks and line not in wanted]


def make_environment():
    try:
        import ensurepip
        import venv
    except ImportError:
        stop(
            "Python %d.%d has no venv module. Install it (Debian, Ubuntu: apt install python3-venv), then run the "
            "same command again." % sys.version_info[:2]
        )
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        stop(
            "Python %d.%d cannot make a virtual environment with pip. Install both (Debian, Ubuntu: apt install "
            "python3-venv), then run the same command again." % sys.version_info[:2]
        )
    except OSError as error:
        stop(
            "Cannot make the virtual environment %s: %s. Free or name another place: VENV=/path make ..."
            % (VENV, error.strerror or error)
        )


def explain(log):
    """Turn pip's last words into one line that says what to do."""
    if re.search(r"THESE PACKAGES DO NOT MATCH THE HASHES", log):
        return (
            "A downloaded package does not match its hash in the lock. Do not install it; run `make lock` only if "
            "you trust the change, and look at the difference"
        )
    if re.search(
        r"NewConnectionError|Name or service|Temporary failure|ConnectTimeout|Max retries|Network is "
        r"unreachable|Connection(Error| refused| reset)|ProxyError|NameResolutionError|from versions: none",
        log,
    ):
        return (
            "No network: no package index answers. Connect (or set PIP_INDEX_URL to your mirror) and run the same "
            "command again"
        )
    if "No space left" in log:
        return "The disk is full. Free some space and run the same command again"
    errors = re.findall(r"^ERROR: (.+)$", log, re.M)
    return "pip failed: %s" % (errors[-1] if errors else "see the log")


def install(locks):
    command = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    for lock in locks:
        command += ["-r", os.path.join(ROOT, lock)]
    with open(LOG, "w") as log:
        status = subprocess.call(command, stdout=log, stderr=subprocess.STDOUT)
    if status:
        with open(LOG) as log:
            stop("%s. (Log: %s)" % (explain(log.read()), os.path.relpath(LOG)))


def main(locks):
    if sys.version_info < NEEDED:
        other = newer_python()
        if other:
            os.execv(other, [other, os.path.abspath(__file__)] + locks)
        stop(
            "Python %s or newer is needed; this is %s. Install one (python.org, pyenv, or uv python install 3.14) "
            "and run: make PYTHON=/path/to/python3 serve" % (needed_text(), sys.version.split()[0])
        )
    wanted = [digest(lock) for lock in locks]
    have = installed()
    missing = [line for line in wanted if line not in have]
    if not missing:
        return
    sys.stderr.write("Installing %s into %s (once) ...\n" % (" and ".join(locks), os.path.relpath(VENV)))
    if not have or outdated(have, wanted):  # start again, so that nothing of the old lock stays behind
        make_environment()
        have = []
        missing = wanted
    names = [line.split()[0] for line in missing]
    install(names)
    with open(STAMP + ".new", "w") as handle:
        handle.write("\n".join(sorted(set([line for line in have if line] + wanted))) + "\n")
    os.rename(STAMP + ".new", STAMP) if os.name != "nt" else os.replace(STAMP + ".new", STAMP)


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["requirements.txt"])
    except KeyboardInterrupt:
        stop("Stopped. The next run starts the installation again.")
