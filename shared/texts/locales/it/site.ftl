site-added =
    Sito { $id } creato. Chiave (mostrata solo questa volta):
    { $key }
key-revoked = revocata
keys = Chiavi
mappings = Azioni
key-added =
    Nuova chiave di { $site } (mostrata solo questa volta):
    { $key }
signing-secret-added =
    Nuovo segreto di firma di { $site } (mostrato solo questa volta, valido entro un minuto):
    { $secret }
signing-off = Le firme delle richieste sono ignorate.
signing-optional = Una richiesta firmata deve avere una firma valida. Una richiesta senza firma è accettata.
signing-required = Ogni richiesta deve avere una firma valida.
no-signing-secret = il sito non ha un segreto di firma: crearlo con bridge site set-signing
no-old-signing-secret = il sito non ha un vecchio segreto di firma
two-signing-secrets = due segreti di firma sono validi, e due sono il massimo: revocare il vecchio con --revoke-old
signing-secrets-malformed = i segreti di firma del sito non hanno il formato previsto
webhook-options = indicare --app-secret-file, oppure --token-header con --token-file
site-exists = il sito { $id } esiste già
no-key = il sito non ha la chiave { $id }
two-keys = le chiavi { $live } sono valide, e due sono il massimo: revocarne una con --revoke
site = Sito { $id }
