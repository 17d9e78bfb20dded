site-added =
    The site { $id } was added. Its key, shown only now:
    { $key }
key-revoked = revoked
keys = Keys
mappings = Mappings
key-added =
    New key of { $site }, shown only now:
    { $key }
webhook-options = name --app-secret-file, or --token-header with --token-file
site-exists = the site { $id } already exists
no-key = the site has no key { $id }
two-keys = the keys { $live } are valid, and two are the maximum: revoke one with --revoke
site = Site { $id }
