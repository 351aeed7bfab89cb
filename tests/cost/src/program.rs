//! A program that uses the key.

use hybridge_security_key::{Incoming, ReportChannel, helper::HelperSocket, hid::Report};
use minicbor::Encoder;

use crate::failure::Failure;

/// Whose passkey is asked for.
pub(crate) const SITE: &str = "site.example";

const INIT: u8 = 0x86;
const CBOR: u8 = 0x90;
const KEEPALIVE: u8 = 0xbb;
/// Bytes of a message in its first report, and in the others.
const FIRST: usize = 57;
const FURTHER: usize = 59;

/// A conversation with the key.
pub(crate) struct Program<'k> {
    key: &'k mut HelperSocket,
    channel: [u8; 4],
}

impl<'k> Program<'k> {
    pub(crate) async fn begin(key: &'k mut HelperSocket) -> Result<Self, Failure> {
        let mut program = Self { key, channel: [0xff; 4] };
        program.send(INIT, b"nonceabc").await?;
        let reply = program.reply(INIT).await?;
        program.channel = *reply.get(8..12).and_then(|id| id.first_chunk()).ok_or_else(odd)?;
        Ok(program)
    }

    /// Asks what the key is.
    pub(crate) async fn look_at_it(&mut self) -> Result<(), Failure> {
        self.send(CBOR, &[4]).await?;
        self.reply(CBOR).await.map(drop)
    }

    /// Asks for a passkey.
    pub(crate) async fn ask(&mut self) -> Result<(), Failure> {
        self.send(CBOR, &make_credential().map_err(|_| odd())?).await
    }

    /// Waits for the reply, and gives its status.
    pub(crate) async fn status(&mut self) -> Result<u8, Failure> {
        self.reply(CBOR).await?.first().copied().ok_or_else(odd)
    }

    async fn send(&mut self, command: u8, message: &[u8]) -> Result<(), Failure> {
        let (first, rest) = message.split_at(FIRST.min(message.len()));
        let [high, low] = u16::try_from(message.len()).map_err(|_| odd())?.to_be_bytes();
        let mut reports = vec![[&self.channel[..], &[command, high, low], first].concat()];
        for (sequence, piece) in (0_u8..).zip(rest.chunks(FURTHER)) {
            reports.push([&self.channel[..], &[sequence], piece].concat());
        }
        for bytes in reports {
            let mut report = [0; 64];
            report.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            self.key.send(&Report(report)).await?;
        }
        Ok(())
    }

    /// The contents of the next message with this command.
    async fn reply(&mut self, wanted: u8) -> Result<Vec<u8>, Failure> {
        let (mut contents, mut length) = (Vec::new(), usize::MAX);
        while contents.len() < length {
            let Incoming::Report(Report(report)) = self.key.receive().await? else { continue };
            let (head, body) = report.split_at(4);
            match body.split_first().ok_or_else(odd)? {
                _ if head != self.channel => {}
                (&KEEPALIVE, _) => {}
                (command, [high, low, data @ ..]) if *command == wanted => {
                    length = usize::from(u16::from_be_bytes([*high, *low]));
                    contents = data.to_vec();
                }
                (sequence, data) if *sequence < 0x80 => contents.extend_from_slice(data),
                _ => return Err(odd()),
            }
        }
        contents.truncate(length);
        Ok(contents)
    }
}

fn odd() -> Failure {
    Failure::unexpected("the key speaks no CTAPHID")
}

/// authenticatorMakeCredential.
fn make_credential() -> Result<Vec<u8>, minicbor::encode::Error<core::convert::Infallible>> {
    let mut map = Encoder::new(vec![0x01]);
    map.map(5)?.u8(1)?.bytes(&[9; 32])?;
    map.u8(2)?.map(2)?.str("id")?.str(SITE)?.str("name")?.str("Site")?;
    map.u8(3)?.map(3)?.str("id")?.bytes(&[1])?.str("name")?.str("ada")?.str("displayName")?.str("Ada")?;
    map.u8(4)?.array(1)?.map(2)?.str("alg")?.i8(-7)?.str("type")?.str("public-key")?;
    map.u8(7)?.map(1)?.str("rk")?.bool(true)?;
    Ok(map.into_writer())
}
