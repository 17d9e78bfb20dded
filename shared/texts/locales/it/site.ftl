site-added =
    Sito { $id } creato. Chiave (mostrata solo questa volta):
    { $key }
key-revoked = revocata
keys = Chiavi
mappings = Azioni
key-added =
    Nuova chiave di { $site } (mostrata solo questa volta):
    { $key }
webhook-options = indicare --app-secret-file, oppure --token-header con --token-file
site-exists = il sito { $id } esiste già
no-key = il sito non ha la chiave { $id }
two-keys = le chiavi { $live } sono valide, e due sono il massimo: revocarne una con --revoke
site = Sito { $id }
