variable-meaning = { $meaning } Esempio: { $example }
variable-events = Eventi: { $events }
