"""Where the user's own files live. Nothing here creates a folder: whoever writes into one does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

# Overrides every folder: $GCDESK_HOME/data, /config, /cache and /log. For tests, portable copies and kiosks.
HOME_VARIABLE = "GCDESK_HOME"
_APP = "gcdesk"


@dataclass(frozen=True)
class Folders:
    """Absolute paths; none of them needs to exist yet. `models` lies in `data`."""

    data: Path
    config: Path
    cache: Path
    log: Path
    models: Path


def user_folders() -> Folders:
    """The user's folders, asked anew each time so that a changed environment counts at once.

    They are the platform's usual ones (platformdirs), or those below $GCDESK_HOME when it is set.
    """
    home = os.environ.get(HOME_VARIABLE, "").strip()
    if home:
        root = Path(home).expanduser().absolute()
        data, config, cache, log = (root / name for name in ("data", "config", "cache", "log"))
    else:
        dirs = platformdirs.PlatformDirs(_APP, appauthor=False)
        data, config = Path(dirs.user_data_dir), Path(dirs.user_config_dir)
        if config == data:  # on Windows and macOS
            config = data / "config"
        cache, log = Path(dirs.user_cache_dir), Path(dirs.user_log_dir)
    return Folders(data=data, config=config, cache=cache, log=log, models=data / "models")
