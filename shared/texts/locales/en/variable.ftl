variable-meaning = { $meaning } Example: { $example }
variable-events = Events: { $events }
