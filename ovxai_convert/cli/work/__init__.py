"""What the commands do, in the child process: one module for each, with a function ``work``."""
