webhook-signed = Requests must be signed (X-Hub-Signature-256).
webhook-token = Requests must carry the token in the header { $header }.
not-a-header = { $name } is not a header name
webhook-values =
    Webhook address: { $url }
    Verify token: { $token }
