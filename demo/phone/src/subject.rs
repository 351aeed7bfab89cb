//! What a request is about, for the person to see before it is answered.

use ciborium::Value;
use hybridge_authenticator::Operation;
use hybridge_proto::cbor::check_canonical;

const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;

/// A request for a passkey or with one, as far as a person is concerned. The authenticator reads and checks the
/// request by itself; this only says what to show, and no request is granted on the strength of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) operation: Operation,
    /// The relying party's ID, as the computer gives it.
    pub(crate) rp_id: String,
    /// The account of a new passkey: name and display name, as the website gives them.
    pub(crate) user: Option<(String, String)>,
    /// The credentials that an assertion may use; none allows all.
    pub(crate) allowed: Vec<Vec<u8>>,
}

impl Subject {
    /// Reads the bytes of a request. `None` if they ask for nothing that concerns a person, or are malformed: the
    /// authenticator refuses those.
    pub(crate) fn of(request: &[u8]) -> Option<Self> {
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
        })
    }

    /// What the person knows the account of a new passkey by.
    pub(crate) fn account(&self) -> &str {
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

fn named<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    map.as_map()?.iter().find_map(|(found, value)| (found.as_text() == Some(name)).then_some(value))
}
