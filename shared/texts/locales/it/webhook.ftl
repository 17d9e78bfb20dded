webhook-signed = Le richieste devono essere firmate (X-Hub-Signature-256).
webhook-token = Le richieste devono contenere il token nell'intestazione { $header }.
not-a-header = { $name } non è il nome di un header
webhook-values =
    Indirizzo del webhook: { $url }
    Token di verifica: { $token }
