"""Starting, reading and stopping harnesses: processes, no pytest."""
