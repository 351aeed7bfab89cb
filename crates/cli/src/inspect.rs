//! `hybridge inspect`: explains a QR code.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use hybridge_proto::qr::{QrCode, QrError};
use zeroize::Zeroizing;

use crate::{
    args::InspectArgs,
    error::Error,
    inspect::report::{Report, Secrets},
};

mod report;
mod words;

/// Far more than the largest QR code holds, so that an error can say that it is too long.
const MAX_TEXT: u64 = 64 * 1024;
/// The largest picture file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Reads the code from where the arguments say and prints what it tells.
pub(crate) fn run(args: InspectArgs, out: &mut impl Write) -> Result<(), Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let secrets = if args.show_secrets { Secrets::Shown } else { Secrets::Hidden };
    let json = args.json;
    let report = Report::new(&code(args)?, now, secrets);
    if json {
        serde_json::to_writer_pretty(&mut *out, &report).map_err(|error| Error::Write(error.into()))?;
        return writeln!(out).map_err(Error::Write);
    }
    report.write(out).map_err(Error::Write)
}

fn code(args: InspectArgs) -> Result<QrCode, Error> {
    match (args.image, args.code.map(Zeroizing::new)) {
        (Some(file), _) => Ok(QrCode::parse(&from_picture(&file)?)?),
        (None, Some(text)) if *text == "-" => Ok(QrCode::parse(from_standard_input()?.trim_ascii())?),
        (None, text) => {
            let text = text.unwrap_or_default();
            QrCode::parse(text.trim_ascii()).map_err(|error| match error {
                QrError::Prefix if Path::new(&*text).is_file() => Error::CodeIsAFile(error),
                error => Error::Code(error),
            })
        }
    }
}

fn from_picture(file: &Path) -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if file == Path::new("-") {
        io::stdin().lock().take(MAX_FILE).read_to_end(&mut bytes)
    } else {
        fs::File::open(file).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
    };
    read.map_err(Error::ReadPicture)?;
    Ok(hybridge_picture::from_png(&bytes)?)
}

fn from_standard_input() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = io::stdin().lock().take(MAX_TEXT + 1).read_to_end(&mut bytes);
    let read = read.map_err(Error::ReadInput)?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_TEXT) {
        return Err(Error::TooLong);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}
