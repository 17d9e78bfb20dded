account-added = The account { $id } was added. Next: bridge account test { $id }, then bridge template sync
account-default-inactive = The default account { $id } is inactive: messages of mappings that name no other are not sent (account_inactive). To choose another: bridge site set default_account=ID
account-stopped = STOPPED since { $since }, code { $code }. Its messages wait; the next attempt is after { $probe-at }. Once the cause is fixed: bridge account start { $id }
account-started = Its messages are sent within a minute.
account-webhook-not-set = the webhook has no secret, so every request is rejected: bridge site set-webhook
account-webhook-unseen = nothing has come through the webhook yet: enter its address and secret at WA Smart Business, then run bridge send-test, whose status proves it
step-right = right
step-wrong = WRONG
step-unclear = cannot be verified
no-account = the site has no account { $id }
account-exists = the account { $id } already exists
account-not-stopped = the account { $id } was not stopped
token-again = another host in base_url requires the token again: --token-file
account-test-wrong = wrong: { $step }
account-default = Account { $id } (default)
account = Account { $id }
