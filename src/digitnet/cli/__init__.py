"""The command line: a module a command, and `main`, which finds the command that was called."""
