"""How photos come in: drops, folders, the watched folder."""
