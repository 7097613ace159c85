"""What `apps.benchmark` measures, one table a file."""
