"""One file a version of the order store."""
