"""The clients of docs/events/clients, and the interpreters and compilers that they need."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

FOLDER = ROOT / "docs" / "events" / "clients"
INSTALL_LIMIT_S = 300
COMPILE_LIMIT_S = 60
# Small enough that a thousand events with faults take seconds, and large enough to grow.
PAUSE_S, PAUSE_MAX_S, TIMEOUT_S = 0.01, 0.2, 0.5


@dataclass(frozen=True)
class Client:
    """A client: its files, the command that runs it, and the Debian packages with the programs that it needs."""

    name: str
    files: tuple
    programs: tuple
    packages: tuple = ()

    def missing(self):
        """Returns why the client cannot run here, or `None`. Installs what is missing, if that is allowed."""
        if all(map(shutil.which, self.programs)):
            return None
        wanted = " and ".join(self.programs)
        if not self.packages or not shutil.which("apt-get"):
            return f"the {self.name} client needs {wanted}"
        if os.geteuid() != 0:
            return f"the {self.name} client needs {wanted}; as root: apt-get install {' '.join(self.packages)}"
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *self.packages]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
        if done.returncode == 0 and all(map(shutil.which, self.programs)):
            return None
        return f"the {self.name} client needs {wanted}, and apt-get could not install it: {done.stderr.strip()[-200:]}"

    def command(self, folder):
        """Returns the command that runs the client. Compiles it into `folder` if need be."""
        if self.name != "C#":
            return [self.programs[0], str(FOLDER / self.files[0])]
        program = Path(folder, "bridge.exe")
        sources = [str(FOLDER / file) for file in self.files]
        compiler = ["mcs", "-langversion:latest", "-warnaserror", "-r:System.Net.Http.dll", f"-out:{program}"]
        subprocess.run(compiler + sources, check=True, timeout=COMPILE_LIMIT_S)
        return ["mono", str(program)]


MONO = ("mono-mcs", "mono-runtime", "libmono-system-net-http4.0-cil")
CLIENTS = (
    Client("C#", ("Bridge.cs", "Program.cs"), ("mcs", "mono"), MONO),
    Client("Node", ("bridge.mjs",), ("node",), ("nodejs",)),
    Client("PHP", ("bridge.php",), ("php",), ("php-cli",)),
    Client("Python", ("bridge.py",), ("python3",)),
)


def environment(url, key, outbox):
    """Returns the settings of a client as environment variables."""
    settings = {"URL": url, "KEY": key, "OUTBOX": str(outbox)}
    settings |= {"PAUSE_S": str(PAUSE_S), "PAUSE_MAX_S": str(PAUSE_MAX_S), "TIMEOUT_S": str(TIMEOUT_S)}
    return {f"BRIDGE_{name}": value for name, value in settings.items()}
