"""What is asked of a run, and doing it: for the commands and for Python alike."""
