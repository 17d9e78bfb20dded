"""Shared code of the Python suites: the template as data, processes, waiting, and calls to the bridge."""
