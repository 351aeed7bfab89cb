//! What a request is about, for the person to see before it is answered.

use std::fmt;

use ciborium::Value;
use hybridge_authenticator::Operation;
use hybridge_proto::cbor::check_canonical;

const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;

/// A request for a passkey or with one, as far as a person is concerned. The authenticator reads and checks the
/// request by itself; this only says what to show, and no request is granted on the strength of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// Making a passkey, or signing in with one.
    pub operation: Operation,
    /// The relying party's ID, as the computer gives it.
    pub rp_id: String,
    /// The account of a new passkey: name and display name, as the website gives them.
    pub user: Option<(String, String)>,
    /// The IDs of the credentials that an assertion may use; none allows all.
    pub allowed: Vec<Vec<u8>>,
    /// Whether somebody has to be there: option `up`.
    pub presence: bool,
    /// Whether the owner has to be verified: option `uv`.
    pub verification: bool,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.allowed.len();
        f.debug_struct("Subject")
            .field("operation", &self.operation)
            .field("allowed", &allowed)
            .finish_non_exhaustive()
    }
}

impl Subject {
    /// Reads the bytes of a request. `None` if they ask for nothing that concerns a person, or are malformed: the
    /// authenticator refuses those.
    pub fn of(request: &[u8]) -> Option<Self> {
        let (&command, cbor) = request.split_first()?;
        if !matches!(command, MAKE_CREDENTIAL | GET_ASSERTION) {
            return None;
        }
        check_canonical(cbor).ok()?;
        let parameters: Value = ciborium::from_reader(cbor).ok()?;
        match command {
            MAKE_CREDENTIAL => Self::of_creation(&parameters),
            _ => Self::of_assertion(&parameters),
        }
    }

    fn of_creation(parameters: &Value) -> Option<Self> {
        let rp = member(parameters, 2)?;
        let user = member(parameters, 3)?;
        let name = |name| named(user, name).and_then(Value::as_text).unwrap_or_default().to_owned();
        Some(Self {
            operation: Operation::MakeCredential,
            rp_id: named(rp, "id")?.as_text()?.to_owned(),
            user: Some((name("name"), name("displayName"))),
            allowed: Vec::new(),
            presence: option(parameters, 7, "up").unwrap_or(true),
            verification: option(parameters, 7, "uv").unwrap_or(false),
        })
    }

    fn of_assertion(parameters: &Value) -> Option<Self> {
        let list = member(parameters, 3).and_then(Value::as_array);
        let id = |descriptor| Some(named(descriptor, "id")?.as_bytes()?.clone());
        Some(Self {
            operation: Operation::GetAssertion,
            rp_id: member(parameters, 1)?.as_text()?.to_owned(),
            user: None,
            allowed: list.into_iter().flatten().filter_map(id).collect(),
            presence: option(parameters, 5, "up").unwrap_or(true),
            verification: option(parameters, 5, "uv").unwrap_or(false),
        })
    }

    /// What the person knows the account of a new passkey by.
    pub fn account(&self) -> &str {
        match &self.user {
            Some((name, display)) if name.is_empty() => display,
            Some((name, _)) => name,
            None => "",
        }
    }
}

fn member(map: &Value, key: u8) -> Option<&Value> {
    let is_key = |found: &Value| found.as_integer() == Some(key.into());
    map.as_map()?.iter().find_map(|(found, value)| is_key(found).then_some(value))
}

fn option(map: &Value, options: u8, name: &str) -> Option<bool> {
    named(member(map, options)?, name)?.as_bool()
}

fn named<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    map.as_map()?.iter().find_map(|(found, value)| (found.as_text() == Some(name)).then_some(value))
}

#[cfg(test)]
mod tests {
    use ciborium::cbor;
    use hybridge_proto::cbor::canonicalize;
    use proptest::prelude::*;

    use super::*;

    fn request(command: u8, parameters: &Value) -> Vec<u8> {
        let mut cbor = Vec::new();
        ciborium::into_writer(parameters, &mut cbor).unwrap();
        [vec![command], canonicalize(&cbor).unwrap()].concat()
    }

    #[test]
    fn creations_are_read() {
        let rp = cbor!({ "id" => "login.example", "name" => "Login" }).unwrap();
        for (user, names, account) in [
            (cbor!({ "name" => "ada", "displayName" => "Ada" }), ("ada", "Ada"), "ada"),
            (cbor!({ "displayName" => "Ada" }), ("", "Ada"), "Ada"),
            (cbor!({ "name" => 7 }), ("", ""), ""),
        ] {
            let options = cbor!({ "uv" => true }).unwrap();
            let parameters = cbor!({ 2 => rp.clone(), 3 => user.unwrap(), 7 => options }).unwrap();
            let subject = Subject::of(&request(MAKE_CREDENTIAL, &parameters)).unwrap();
            assert_eq!(subject.operation, Operation::MakeCredential);
            assert_eq!((subject.rp_id.as_str(), subject.account()), ("login.example", account));
            assert_eq!(subject.user, Some((names.0.to_owned(), names.1.to_owned())));
            assert!(subject.allowed.is_empty() && subject.presence && subject.verification);
        }
    }

    #[test]
    fn assertions_are_read() {
        let id = |byte: u8| Value::Map(vec![(Value::from("id"), Value::Bytes(vec![byte; 16]))]);
        let parameters = cbor!({ 1 => "login.example", 3 => vec![id(1), Value::from("?"), id(2)] }).unwrap();
        let subject = Subject::of(&request(GET_ASSERTION, &parameters)).unwrap();
        assert_eq!((subject.operation, subject.user.as_ref()), (Operation::GetAssertion, None));
        assert_eq!(subject.allowed, [vec![1; 16], vec![2; 16]]);
        assert_eq!((subject.presence, subject.verification), (true, false));
        assert!(format!("{subject:?}").ends_with("allowed: 2, .. }"), "no identifiers: {subject:?}");
        let silent = cbor!({ 1 => "login.example", 5 => { "up" => false, "uv" => true } }).unwrap();
        let silent = Subject::of(&request(GET_ASSERTION, &silent)).unwrap();
        assert_eq!((silent.presence, silent.verification), (false, true));
        let open = cbor!({ 1 => "login.example" }).unwrap();
        assert!(Subject::of(&request(GET_ASSERTION, &open)).unwrap().allowed.is_empty());
    }

    #[test]
    fn what_names_no_relying_party_concerns_nobody() {
        let nobody = cbor!({ 2 => { "name" => "Login" }, 3 => {} }).unwrap();
        for bytes in [
            vec![],
            vec![MAKE_CREDENTIAL],
            vec![0x04],
            vec![0x06, 0xA0],
            vec![GET_ASSERTION, 0x80],
            // Keys out of order.
            vec![GET_ASSERTION, 0xA2, 0x02, 0x61, 0x61, 0x01, 0x61, 0x61],
            request(MAKE_CREDENTIAL, &nobody),
            request(GET_ASSERTION, &cbor!({ 1 => 7 }).unwrap()),
        ] {
            assert_eq!(Subject::of(&bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_requests_are_read_or_not(command in 0_u8..4, cbor: Vec<u8>) {
            let _ = Subject::of(&[vec![command], cbor].concat());
        }
    }
}
