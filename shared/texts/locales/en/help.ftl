cmd = Operate the bridge from Passweb to WhatsApp: sites, accounts, mappings, templates, and the outcome of every message
after =
    Examples:
      bridge site show
      bridge mapping check azioni/ordini.yaml
      bridge preview --mapping azioni/ordini.yaml --event evento.json
      bridge explain --event c4a1b7e2-77
      bridge --stack passweb-prod --site negozio audit --days 3

    Without --stack, bridge works on the local run.
    Exit codes: 0 done, 1 negative result or findings, 2 wrong command line,
    3 stack or platform not reachable.
arg-data-dir = Data folder of the local run
arg-stack = CloudFormation name of a stack on AWS to use instead of the local run
arg-region = AWS region of the stack; defaults to samconfig.toml, the environment, or the profile
arg-profile = AWS profile with the credentials; defaults to samconfig.toml or the environment
arg-site = Site id; defaults to the demo site on the local run
arg-json = Print JSON on standard output
arg-lang = Language of the texts; defaults to that of the system, otherwise Italian
arg-show-phones = Show full phone numbers
arg-help = Print this help
arg-version = Print the version
cmd-help = Print this help, or that of a command
cmd-site = Manage sites and their keys
cmd-site-add = Add a site and print its key, which is shown only once
after-site-add =
    Example:
      bridge site add negozio url=https://www.example.com retention_days=60
arg-site-add-id = Site id
arg-site-add-settings = Settings that differ from the defaults
cmd-site-show = Show the site's settings, keys, accounts, mappings and webhook
cmd-site-set = Change settings of the site
after-site-set =
    Example:
      bridge site set time_zone=Europe/Zurich default_language=de
arg-site-set-settings = Settings to change; an empty value removes an optional setting
cmd-site-rotate-key = Create a new key; existing keys stay valid until they are revoked
after-site-rotate-key =
    Example:
      bridge site rotate-key
      bridge site rotate-key --revoke 1f2e3d4c5b6a
arg-site-rotate-key-revoke = Revoke the key with this id, the part between pwb_ and the next underscore
cmd-site-set-signing = Create a secret with which the site's caller signs its requests, or set whether signatures are required
after-site-set-signing =
    The first secret makes signatures optional. A second one replaces it without an
    interruption: both are valid until --revoke-old.

    Example:
      bridge site set-signing
      bridge site set-signing --mode required
      bridge site set-signing --revoke-old
arg-site-set-signing-mode = Whether signatures are ignored, checked if present, or required; creates no secret
arg-site-set-signing-revoke-old = Revoke the older of two secrets; creates no secret
cmd-site-set-webhook = Set how webhook requests are authenticated; creates the webhook if there is none
after-site-set-webhook =
    Meta signs requests with the app secret. A provider that does not sign them
    sends a token in a header.

    Example:
      bridge site set-webhook --app-secret-file secret.txt
      bridge site set-webhook --token-header X-Webhook-Token --token-file token.txt
arg-site-set-webhook-app-secret-file = File with the app secret, or - for standard input; requests must be signed
arg-site-set-webhook-token-header = Header that carries a token; requests are not signed
arg-site-set-webhook-token-file = File with that token, or - for standard input
cmd-account = Manage WA Smart Business accounts
cmd-account-add = Add an account
after-account-add =
    Example:
      bridge account add main --token-file token.txt \
        base_url=https://api.example.com/v23.0 phone_number_id=106 waba_id=102
arg-account-id = Account id
arg-account-add-token-file = File with the access token, or - for standard input
arg-account-add-settings = Settings of the account
cmd-account-show = Show an account's settings and whether it is stopped
arg-account-show-id = Account id; defaults to the site's default account
cmd-account-set = Change settings of an account; another host in base_url requires the token again
arg-account-set-token-file = File with a new access token, or - for standard input
arg-account-set-settings = Settings to change
cmd-account-test = Test the settings in order and stop at the first wrong one; sends nothing
arg-account-test-id = Account id; defaults to the site's default account
cmd-account-start = End an account's stop now, without waiting for a successful probe
cmd-mapping = Manage mappings (azioni), which assign templates to event types
cmd-mapping-new = Write the commented file of a new mapping, with a proposal for each placeholder of the template
after-mapping-new =
    The file is not saved as a mapping: complete it, then use `bridge mapping check`
    and `bridge mapping apply`.

    Example:
      bridge mapping new --event order.status_changed --template ordine_spedito --output spedito.yaml
arg-mapping-new-event = Event type
arg-mapping-new-template = Template name
arg-mapping-new-language = Only this language of the template, as WA Smart Business lists it; all languages if absent
arg-mapping-new-output = File to create; standard output if absent
cmd-mapping-check = Report every error of a mapping file
arg-mapping-file = YAML or JSON file, or - for standard input
cmd-mapping-apply = Check a mapping and save it
cmd-mapping-list = List the mappings and their state: enabled, disabled, needs review, or paused
cmd-mapping-confirm = Accept a mapping's templates as they are now, so that it sends again
after-mapping-confirm =
    Look at the templates first: `bridge preview` shows what would be sent.

    Example:
      bridge mapping confirm stato-ordine
arg-mapping-id = Mapping id
cmd-mapping-enable = Enable a mapping after checking it
cmd-mapping-disable = Disable a mapping; its planned messages are not sent
cmd-mapping-delete = Delete a mapping; its planned messages are not sent, its history stays
arg-mapping-delete-yes = Confirm the deletion
cmd-mapping-history = List every saved version of a mapping, even after its deletion
cmd-mapping-export = Print a mapping as YAML, or write all mappings into a folder
after-mapping-export =
    Example:
      bridge mapping export stato-ordine > stato-ordine.yaml
      bridge mapping export stato-ordine --version 3 | bridge mapping apply -
      bridge mapping export --dir azioni
arg-mapping-export-version = Earlier version, by its number in the history
arg-mapping-export-dir = Folder for all mappings, one file each
cmd-template = Sync and list the templates approved by Meta
cmd-template-sync = Read the template lists now and name the mappings that need a review
arg-template-sync-even-if-many-go = Accept the list even if a large part of the templates is missing from it
cmd-template-list = List the templates as of the last sync
cmd-template-show = Show a template: text, header, buttons, placeholders, state, the mappings that use it, and why it cannot be used
after-template-show =
    Example:
      bridge template show conferma_ordine --language it
arg-template-show-name = Template name
arg-template-show-language = Only this language; all languages if absent
cmd-variable = List the variables that fill placeholders
cmd-variable-list = List the variables with label, meaning, type and an example; needs no stack
after-variable-list =
    Example:
      bridge variable list --event order.status_changed
arg-variable-list-event = List only the variables of this event type
cmd-preview = Show what would be sent for an event, without sending it
after-preview =
    Example:
      bridge preview --mapping azioni/ordini.yaml --event evento.json --json
arg-preview-mapping = Mapping id, or a mapping file
arg-preview-event = Event id in the ledger, an event file, or - for standard input
arg-preview-template = Template file, as WA Smart Business lists it, to use instead of the synced template
cmd-send-test = Send a message to one number through the queue and the sending function
after-send-test =
    A person with the given number replaces the event's recipient. All other numbers
    are removed from the event.

    Example:
      bridge send-test --mapping stato-ordine --event evento.json --phone +393401234567
arg-send-test-mapping = Mapping id
arg-send-test-event = Event id in the ledger, an event file, or - for standard input
arg-send-test-phone = Number to send to
arg-send-test-wait = Seconds to wait for the outcome
cmd-explain = Explain the outcome of an event, or of all events of a number or an order
after-explain =
    Example:
      bridge explain --event c4a1b7e2-77
      bridge explain --phone '340 1234567' --lang en
arg-explain-event = Event id
arg-explain-phone = Phone number; shows its messages, its suppressions and consent, and recent events that left it out
arg-explain-order = Order, by Passweb's number or by the code that customers see, such as OC1/1320
cmd-audit = Count events and messages by outcome; exit with 1 if a message is unaccounted for
arg-days = Number of days to look back
arg-audit-days = Number of days to look back; older events cannot change, because no message is useful for more than a week
cmd-schedule = List, cancel or send the messages and reminders that wait
cmd-schedule-list = List what waits, with its due time and the reason; lanes list their oldest messages first
after-schedule-list =
    Example:
      bridge schedule list --event c4a1b7e2-77 --lang en
arg-schedule-list-event = List only what waits because of this event
arg-schedule-list-limit = Maximum number of items, soonest first; applies to each lane separately
cmd-schedule-cancel = Cancel a waiting message or reminder; it ends as skipped, cancelled
after-schedule-cancel =
    Example:
      bridge schedule cancel 1f….2e…
      bridge schedule cancel bridge:rem.4d…
arg-schedule-id = Message id or reminder id
cmd-schedule-fire-now = Send a waiting message now, without its interval, hold and quiet hours; or raise a reminder now
after-schedule-fire-now =
    Everything else still delays the message: a paused site, a stopped account, a
    template that Meta does not accept. A person who opted out in the meantime gets
    nothing. A reminder is raised within a minute. Its message waits for the end of
    quiet hours, unless fire-now is used on the message too.

    Example:
      bridge schedule fire-now 1f….2e…
      bridge schedule fire-now bridge:rem.4d…
cmd-unknown = List and resolve messages whose outcome is unknown
cmd-unknown-list = List the messages whose outcome is unknown
cmd-unknown-resolve = Record whether a message arrived
after-unknown-resolve =
    Example:
      bridge unknown resolve 1f….2e… --arrived --note 'il cliente lo ha letto'
arg-message = Message id
arg-unknown-resolve-arrived = The message arrived
arg-unknown-resolve-not-arrived = The message did not arrive; `bridge resend` can send it again
arg-unknown-resolve-note = How you know
cmd-resend = Send a message again
after-resend =
    A resend passes the same checks as every message: a person who has opted out
    gets nothing. Its useful time begins now.

    Example:
      bridge resend 1f….2e… --yes
arg-resend-yes = Send without asking
arg-resend-even-if-unknown = Send even if the outcome is unknown and the mapping never resends such a message
cmd-dead = List and redrive dead letters
cmd-dead-list = List the dead letters
cmd-dead-redrive = Put dead letters back into their queue, after the cause is fixed
after-dead-redrive =
    Example:
      bridge dead redrive 059f36b4-87a3-44ab-83d2-661975830a7d
      bridge dead redrive --all
arg-dead-redrive-id = Dead letter id
arg-dead-redrive-all = Redrive every dead letter that was not redriven yet
cmd-suppress = Suppress messages to a number
after-suppress =
    Example:
      bridge suppress --phone '340 1234567' --reason 'richiesta telefonica'
arg-phone = Phone number
arg-suppress-scope = Messages to suppress: all, or only those of marketing templates (marketing)
arg-reason = Reason
cmd-unsuppress = Lift a suppression of a number
after-unsuppress =
    Each source has its own suppression. --source stop lifts a STOP, and so does a
    START from the person.

    Example:
      bridge unsuppress --phone '340 1234567' --source stop --reason 'ha richiamato'
      bridge unsuppress --phone '340 1234567' --unreachable
arg-unsuppress-scope = Messages of the suppression to lift: all, or only those of marketing templates (marketing)
arg-unsuppress-source = Source of the suppression to lift: the person wrote STOP (stop), the preferences of WhatsApp (preferences), an operator (operator), an imported list (import)
arg-unsuppress-by = Name of the person who lifts it
arg-unsuppress-unreachable = End the one-month pause of a number that WhatsApp could not reach
cmd-contacts = Import and export suppressions and consents
cmd-contacts-import = Import suppressions and consents from a CSV file
after-contacts-import =
    The first line names the columns: phone, or contact (a pseudonym, as export
    writes it); scope (all, marketing) with reason; consent to marketing (yes, no);
    and the other columns of export. If any line is wrong, nothing is written.

    Example:
      bridge contacts import esclusi.csv --dry-run
arg-contacts-import-file = CSV file with commas or semicolons, or - for standard input
arg-contacts-import-dry-run = Check the file without writing anything
arg-contacts-import-skip-wrong = Write the valid lines even if others are wrong
arg-contacts-import-own-export = The file is an export of this site of this stack: accept pseudonyms that no table knows any more
cmd-contacts-export = Export every suppression, consent and unreachable number as CSV, with full phone numbers where known
arg-contacts-export-output = File to write instead of standard output
cmd-erase = Erase a person's data
after-erase =
    It removes the content of events, messages and dead letters from the ledger.
    Outcomes and times stay, and so do suppressions, which contain a pseudonym
    instead of the number. The queues (at most 14 days) and the backups (35 days)
    are not touched. Run erase again if they may have restored data.

    Example:
      bridge erase --phone '340 1234567'
arg-erase-phone = Phone number; erases everyone who has it
arg-erase-person = Person's id in Passweb
arg-erase-yes = Erase without asking
cmd-doctor = Check everything that the stack depends on, and say what to do; exit with 1 on findings
cmd-completions = Print the completion script of a shell
after-completions =
    Example:
      bridge completions bash > ~/.local/share/bash-completion/completions/bridge
arg-completions-shell = Shell that reads the script

usage = Usage:
usage-options = [OPTIONS]
usage-command = COMMAND
heading-commands = Commands:
heading-arguments = Arguments:
heading-options = Options:
default-value = default
possible-values = possible values
environment = env
value-name = NAME
value-folder = DIR
value-number = NUMBER
value-region = REGION
value-text = TEXT
value-pair = NAME=VALUE
value-key-id = KEY ID
value-code = CODE
value-event-type = TYPE
wrong-usage = error: { $problem }
try-help = For more information: --help.
similar-argument = a similar argument exists: { $name }
similar-command = a similar command exists: { $name }
similar-value = a similar value exists: { $name }
usage-conflict = { $argument } cannot be used with { $others }
usage-repeated = { $argument } cannot be used more than once
usage-no-value = { $argument } requires a value
usage-wrong-value = the value { $value } is not valid for { $argument }
usage-values = possible values: { $values }
usage-unknown-command = there is no command { $name }
usage-missing = required arguments are missing: { $arguments }
usage-no-command = { $name } requires a command: { $commands }
usage-too-many = { $argument } does not accept the value { $value }: it has one already
usage-unknown-argument = there is no argument { $argument }
usage-other = the command line is not valid. Technical detail: { $detail }
value-days = DAYS
value-seconds = SECONDS
value-scope = SCOPE
value-source = SOURCE
