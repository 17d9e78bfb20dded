dead-none = No dead letters.
dead-put-back = Put back on { $at }
dead-cut = It was too long and only its beginning is kept: it cannot be put back.
dead-erased = Its content was erased: it cannot be put back.
dead-redriven = Put back
dead-unknown = there is no dead letter { $id } in the last { $count } days
dead-redriven-before = it was put back at { $at }; if it failed again, that is another dead letter
dead-some-cannot = some cannot be put back
