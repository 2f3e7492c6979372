"""`accelerate launch` as the real one goes about it: the script in a process of its own."""

import subprocess
import sys

arguments = sys.argv[1:]
while arguments[0].startswith("--"):
    arguments = arguments[2:]
sys.exit(subprocess.run([sys.executable, *arguments], check=False).returncode)
