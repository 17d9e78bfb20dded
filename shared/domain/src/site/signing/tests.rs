//! Tests with the vectors of Standard Webhooks' own libraries.

use proptest::prelude::*;

use super::*;

struct Vector {
    secret: &'static str,
    id: &'static str,
    timestamp: &'static str,
    body: &'static str,
    signature: &'static str,
}

const VECTORS: [Vector; 2] = [
    Vector {
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        body: r#"{"test": 2432232314}"#,
        signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    Vector {
        secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        timestamp: "1649367553",
        body: r#"{"email":"test@example.com","username":"test_user"}"#,
        signature: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    },
];

fn secret(text: &str) -> SigningSecret {
    SigningSecret { text: SecretString::from(text), created_at: Timestamp::UNIX_EPOCH }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Vector {
    fn signature(&self) -> Signature<'_> {
        Signature { id: self.id, timestamp: self.timestamp, signatures: self.signature }
    }

    fn signed_at(&self) -> i64 {
        self.timestamp.parse().unwrap()
    }

    fn check(&self, signature: Signature<'_>, later: i64) -> Result<(), SignatureError> {
        signature.check(self.body.as_bytes(), &[secret(self.secret)], at(self.signed_at() + later))
    }
}

#[test]
fn the_published_vectors_are_valid() {
    for vector in &VECTORS {
        assert_eq!(vector.check(vector.signature(), 0), Ok(()), "{}", vector.id);
    }
}

#[test]
fn a_signature_is_valid_for_five_minutes_before_and_after() {
    let [vector, _] = &VECTORS;
    for later in [-300, 300] {
        assert_eq!(vector.check(vector.signature(), later), Ok(()), "{later}");
    }
    for later in [-301, 301, 1_000_000] {
        assert_eq!(vector.check(vector.signature(), later), Err(SignatureError::Stale), "{later}");
    }
}

#[test]
fn any_change_of_what_is_signed_is_a_mismatch() {
    let [vector, other] = &VECTORS;
    let signature = vector.signature();
    let mismatch = Err(SignatureError::Mismatch);
    assert_eq!(vector.check(Signature { id: "msg_x", ..signature }, 0), mismatch);
    assert_eq!(vector.check(Signature { timestamp: "1614265331", ..signature }, 0), mismatch);
    assert_eq!(vector.check(Signature { timestamp: "01614265330", ..signature }, 0), mismatch);
    let (now, secrets) = (at(vector.signed_at()), [secret(vector.secret)]);
    assert_eq!(signature.check(br#"{"test":2432232314}"#, &secrets, now), mismatch);
    assert_eq!(signature.check(vector.body.as_bytes(), &[secret(other.secret)], now), mismatch);
    assert_eq!(signature.check(vector.body.as_bytes(), &[], now), mismatch);
}

#[test]
fn a_part_of_a_signed_body_cannot_be_moved_into_the_id() {
    let [vector, _] = &VECTORS;
    let (secret, now) = (secret(vector.secret), at(vector.signed_at()));
    let moved = Signature { id: "m.1614265330.[\"x", signatures: "v1,AAAA", ..vector.signature() };
    let whole = Signature { id: "m", ..moved };
    let bytes = |signature: Signature<'_>, body: &[u8]| signature.mac(body, &secret).unwrap().finalize().into_bytes();
    let (body, rest): (&[u8], &[u8]) = (br#"["x.1614265330.{}"]"#, br#"{}"]"#);
    assert_eq!(bytes(whole, body), bytes(moved, rest), "the same bytes are signed");
    assert_eq!(moved.check(rest, &[secret], now), Err(SignatureError::Malformed("webhook-id")));
}

#[test]
fn one_valid_signature_by_one_of_the_secrets_is_enough() {
    let [vector, other] = &VECTORS;
    let now = at(vector.signed_at());
    let secrets = [secret(other.secret), secret(vector.secret)];
    assert_eq!(vector.signature().check(vector.body.as_bytes(), &secrets, now), Ok(()));
    let several = format!("v1,AAAA v1a,xyz v2,{} {} v1", &vector.signature[3..], vector.signature);
    assert_eq!(vector.check(Signature { signatures: &several, ..vector.signature() }, 0), Ok(()));
    let other_version = vector.signature.replace("v1,", "v2,");
    let unknown = Signature { signatures: &other_version, ..vector.signature() };
    assert_eq!(vector.check(unknown, 0), Err(SignatureError::Mismatch));
}

#[test]
fn a_malformed_header_is_named() {
    let [vector, _] = &VECTORS;
    let malformed = |signature| match vector.check(signature, 0) {
        Err(SignatureError::Malformed(header)) => header,
        other => panic!("{other:?}"),
    };
    let long = "x".repeat(257);
    for id in ["", "a b", "é", "{", "a\"", "}", &long] {
        assert_eq!(malformed(Signature { id, ..vector.signature() }), "webhook-id", "{id}");
    }
    for timestamp in ["", "+1614265330", "-1", "1614265330.0", "1e9", " 1614265330", "1614265330123"] {
        assert_eq!(malformed(Signature { timestamp, ..vector.signature() }), "webhook-timestamp", "{timestamp}");
    }
    let many = ["v1,AAAA"; SIGNATURES_MAX + 1].join(" ");
    for signatures in ["", " ", &many] {
        assert_eq!(malformed(Signature { signatures, ..vector.signature() }), "webhook-signature", "{signatures}");
    }
}

#[test]
fn secrets_are_stored_as_a_list() {
    let made = SigningSecret::create(&[7; SECRET_BYTES], at(1_795_341_600));
    assert_eq!(made.text.expose_secret(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    let stored = json!([made.stored()]);
    assert_eq!(stored[0]["created_at"], "2026-11-22T10:00:00Z");
    let read = SigningSecret::list(&stored).unwrap();
    assert_eq!(read.iter().map(SigningSecret::stored).collect::<Vec<_>>(), [made.stored()]);
    let item = |secret: &str| json!([{"secret": secret, "created_at": "2026-11-22T10:00:00Z"}]);
    let short = format!("whsec_{}", STANDARD.encode([1; 23]));
    for wrong in [json!([]), json!({}), json!([{}]), item(""), item("whsec_"), item("whsec_*"), item(&short)] {
        assert!(SigningSecret::list(&wrong).is_none(), "{wrong}");
    }
    assert!(!format!("{made:?}").contains("BwcH"));
}

#[test]
fn the_modes_are_stored_by_their_names() {
    assert_eq!(json!([Signing::Off, Signing::Optional, Signing::Required]), json!(["off", "optional", "required"]));
}

proptest! {
    #[test]
    fn hostile_headers_are_refused_without_a_panic(id in "\\PC{0,300}", timestamp in "\\PC{0,20}", signatures in "\\PC{0,200}") {
        let [vector, _] = &VECTORS;
        let signature = Signature { id: &id, timestamp: &timestamp, signatures: &signatures };
        prop_assert!(vector.check(signature, 0).is_err());
    }
}
