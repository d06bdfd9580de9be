"""Imports every module of the project, in Windows' Python. What only training or testing needs may be missing."""

import importlib
import pkgutil
import platform
import re
import sys
import traceback
from importlib.metadata import distribution, version

PROJECT = "gcdesk"
PACKAGES = ("gcdesk", "trainer")
MAY_BE_MISSING = {
    "torch",
    "torchvision",
    "transformers",
    "onnx",
    "onnxscript",
    "sklearn",
    "pyarrow",
    "PyInstaller",
}

print(f"{platform.platform()}, Python {platform.python_version()}, {PROJECT} {version(PROJECT)}")
for requirement in distribution(PROJECT).requires or []:
    if "extra ==" not in requirement:
        name = re.match(r"[\w.-]+", requirement)[0]
        print(f"  {name} {version(name)}")

imported, without, failed = 0, [], []
for package in PACKAGES:
    path = importlib.import_module(package).__path__
    for name in (one.name for one in pkgutil.walk_packages(path, f"{package}.")):
        try:
            importlib.import_module(name)
            imported += 1
        except ImportError as error:
            if (error.name or "").split(".")[0] in MAY_BE_MISSING:
                without.append(f"{name} ({error.name})")
                continue
            failed.append(name)
            traceback.print_exc()
        except Exception:
            failed.append(name)
            traceback.print_exc()
print(f"{imported} modules imported; left out, for want of: {', '.join(without) or 'none'}")
if failed:
    print(f"cannot be imported: {', '.join(failed)}")
sys.exit(1 if failed else 0)
