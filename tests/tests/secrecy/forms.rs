//! The forms in which a secret may stand in a log.

/// A secret, by what it is called and in every form that a log could hold it in.
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    forms: Vec<Vec<u8>>,
}

/// A log that shows a part shows too much: so many bytes of a secret are looked for.
const PART: usize = 6;

impl Secret {
    /// A secret of at least [`PART`] bytes: its beginning and its end, raw, in hex of either case, in base64 of either
    /// alphabet, and as `Debug` shows bytes, in decimal and in hex.
    pub(crate) fn new(name: &'static str, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= PART, "{name} is too short to look for");
        let parts = [&bytes[..PART], &bytes[bytes.len() - PART..]];
        Self { name, forms: parts.into_iter().flat_map(forms_of).collect() }
    }

    /// A secret that is text.
    pub(crate) fn text(name: &'static str, text: &str) -> Self {
        Self { name, forms: vec![text.as_bytes().to_vec()] }
    }

    /// The forms.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &[u8]> {
        self.forms.iter().map(Vec::as_slice)
    }

    /// The form in which the secret is in the log.
    pub(crate) fn found_in(&self, log: &[u8]) -> Option<&[u8]> {
        self.forms().find(|form| log.windows(form.len()).any(|window| window == *form))
    }
}

fn forms_of(part: &[u8]) -> Vec<Vec<u8>> {
    let joined =
        |shown: &dyn Fn(&u8) -> String| part.iter().map(shown).collect::<Vec<_>>().join(", ").into_bytes();
    let texts = [
        data_encoding::HEXLOWER.encode(part),
        data_encoding::HEXUPPER.encode(part),
        data_encoding::BASE64.encode(part),
        data_encoding::BASE64URL.encode(part),
        part.iter().map(|byte| format!("\\x{byte:02x}")).collect(),
    ];
    let mut forms: Vec<_> = texts.map(String::into_bytes).into();
    forms.push(part.to_vec());
    forms.push(joined(&|byte| byte.to_string()));
    forms.push(joined(&|byte| format!("{byte:#04x}")));
    forms
}
