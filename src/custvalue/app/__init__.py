"""The command line: the only place that reads the environment, the clock and the terminal."""
