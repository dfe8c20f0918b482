"""What is left where a process is killed: whole artifacts, and nothing else."""
