"""Results that come home from a cluster: the archive read with caps, checked, imported, recorded."""
