done = Done.
yes-or-no = [y/N]
not-confirmed = nothing was done: answer yes, or use --yes
text-too-long = { $name } must be a text of at most { $max } characters
file-error = { $file }: { $error }
file-too-long = { $file } has more than { $max } bytes
secret-only = the file must contain the secret and nothing else
days-read = Days read
no-random-bytes = the system has no random bytes: { $error }

# strftime formats
moment-format = %-d %b %Y at %H:%M
date-format = %-d %b %Y
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
aws-failed = AWS does not respond as expected. Its message: { $cause }
item-malformed = a record is damaged. Technical detail: { $cause }
secret-malformed = a secret is not usable. Technical detail: { $cause }
setup-wrong = the account cannot be used. Technical detail: { $cause }
list-unreachable = the template list could not be reached. Technical detail: { $cause }
list-refused = the template list was refused with code { $code }: { $details }
list-malformed = the template list is malformed. Technical detail: { $cause }
wrong-id = the id { $problem }
wrong-number = the number { $problem }
id-empty = must not be empty
id-too-long = must have at most { $max } characters
id-character = may only contain letters, digits and . _ : -
id-printable = may only contain printable ASCII characters
id-control = must not contain control characters
phone-empty = is empty
phone-invalid = is not a valid phone number
phone-extension = has an extension
phone-no-country = has no prefix, and its country is not known
phone-service = is a service number
event-unknown-type = there is no such event type
event-invalid = the event has missing or wrong fields: { $fields }
not-found = does not exist
not-permitted = permission denied
not-utf-8 = is not UTF-8 text
not-json = invalid JSON at line { $line }, column { $column }
not-yaml = { $file } is not a valid YAML file. Technical detail: { $detail }
not-a-template = { $file } contains no template. Technical detail: { $detail }
internal = internal error. Technical detail: { $detail }
