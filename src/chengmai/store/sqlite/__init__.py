"""The embedded default: one encrypted SQLite file, one writer, many readers."""
