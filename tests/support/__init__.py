"""What the Python suites share: the template as data, processes, waiting, and calls to the bridge."""
