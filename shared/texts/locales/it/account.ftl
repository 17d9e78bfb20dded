account-added = Account { $id } aggiunto. Ora: bridge account test { $id }, poi bridge template sync
account-default-inactive = L'account predefinito { $id } non è attivo: i messaggi delle azioni che non ne indicano un altro non partono (account_inactive). Per sceglierne un altro: bridge site set default_account=ID
account-stopped = FERMO dal { $since }, codice { $code }. I suoi messaggi attendono; prossimo tentativo dopo il { $probe-at }. Risolta la causa: bridge account start { $id }
account-started = I suoi messaggi partono entro un minuto.
account-webhook-not-set = il webhook non ha un segreto, quindi ogni richiesta viene respinta: bridge site set-webhook
account-webhook-unseen = dal webhook non è ancora arrivato nulla: inserire indirizzo e segreto su WA Smart Business, poi eseguire bridge send-test, il cui stato lo dimostra
step-right = a posto
step-wrong = SBAGLIATO
step-unclear = non verificabile
no-account = il sito non ha l'account { $id }
account-exists = l'account { $id } esiste già
account-not-stopped = l'account { $id } non era fermo
token-again = un altro host in base_url richiede di nuovo il token: --token-file
account-test-wrong = sbagliato: { $step }
account-default = Account { $id } (predefinito)
account = Account { $id }
