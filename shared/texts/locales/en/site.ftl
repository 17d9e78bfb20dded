site-added =
    The site { $id } was added. Its key, shown only now:
    { $key }
key-revoked = revoked
keys = Keys
mappings = Mappings
key-added =
    New key of { $site }, shown only now:
    { $key }
signing-secret-added =
    New signing secret of { $site }, shown only now and valid within a minute:
    { $secret }
signing-off = The signatures of requests are ignored.
signing-optional = A signed request must have a valid signature. A request without a signature is accepted.
signing-required = Every request must have a valid signature.
no-signing-secret = the site has no signing secret: create it with bridge site set-signing
no-old-signing-secret = the site has no old signing secret
two-signing-secrets = two signing secrets are valid, and two are the maximum: revoke the old one with --revoke-old
signing-secrets-malformed = the signing secrets of the site are malformed
webhook-options = name --app-secret-file, or --token-header with --token-file
site-exists = the site { $id } already exists
no-key = the site has no key { $id }
two-keys = the keys { $live } are valid, and two are the maximum: revoke one with --revoke
site = Site { $id }
