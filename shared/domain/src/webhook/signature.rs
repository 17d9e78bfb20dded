//! Authentication of webhook requests.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The prefix of Meta's signature.
const PREFIX: &str = "sha256=";
/// Length of a signature, in bytes.
const SIGNATURE_BYTES: usize = 32;

/// Whether a header is the signature `sha256=<64 hex digits>` of `body`, compared in constant time. The bytes must be
/// those received. Meta escapes non-ASCII characters, so re-encoded JSON differs.
#[must_use]
pub fn is_signed(app_secret: &str, body: &[u8], header: &str) -> bool {
    let Some(digits) = header.strip_prefix(PREFIX) else { return false };
    let mut signature = [0; SIGNATURE_BYTES];
    if hex::decode_to_slice(digits, &mut signature).is_err() {
        return false;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()) else { return false };
    mac.update(body);
    // Everybody can sign with an empty secret.
    !app_secret.is_empty() && mac.verify_slice(&signature).is_ok()
}

/// Whether a token is the expected one, compared in constant time for any length.
#[must_use]
pub fn is_token(expected: &str, presented: &str) -> bool {
    let same = Sha256::digest(expected).ct_eq(&Sha256::digest(presented));
    !expected.is_empty() && bool::from(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "test_app_secret";
    const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    const SIGNATURE: &str = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756";

    #[test]
    fn the_test_vectors_signature_is_valid() {
        assert!(is_signed(SECRET, BODY, SIGNATURE));
        assert!(is_signed(SECRET, BODY, &SIGNATURE.replace("dec6", "DEC6")));
    }

    #[test]
    fn any_other_signature_is_invalid() {
        assert!(!is_signed("another", BODY, SIGNATURE));
        assert!(!is_signed(SECRET, b"{}", SIGNATURE));
        let headers = [
            "",
            "sha256=",
            &SIGNATURE[7..],
            &SIGNATURE[..70],
            &format!("{SIGNATURE}0"),
            &SIGNATURE.replace("sha256", "sha1"),
            &SIGNATURE.replace("dec6", "dec7"),
            &SIGNATURE.replace("dec6", "dexé"),
            &SIGNATURE.replace("dec6", "+ec6"),
        ];
        for header in headers {
            assert!(!is_signed(SECRET, BODY, header), "{header}");
        }
    }

    #[test]
    fn an_empty_secret_accepts_nothing() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"").unwrap();
        mac.update(BODY);
        let signature = format!("{PREFIX}{}", hex::encode(mac.finalize().into_bytes()));
        assert!(!is_signed("", BODY, &signature));
        assert!(!is_token("", ""));
    }

    #[test]
    fn a_token_is_compared_whole() {
        assert!(is_token("s3cret", "s3cret"));
        for presented in ["", "s3cre", "s3cret ", "S3cret", "s3crets"] {
            assert!(!is_token("s3cret", presented), "{presented}");
        }
    }
}
