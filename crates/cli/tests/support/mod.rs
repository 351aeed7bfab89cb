//! Runs the program and makes pictures for it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    fs,
    io::{Cursor, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use image::{ImageFormat, Rgba};
use qrcode::{EcLevel, QrCode};

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn hybridge(args: &[&str]) -> Run {
    hybridge_with_input(args, b"")
}

pub(crate) fn hybridge_with_input(args: &[&str], input: &[u8]) -> Run {
    hybridge_in(&[], args, input)
}

/// With these environment variables.
pub(crate) fn hybridge_in(environment: &[(&str, &str)], args: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hybridge"))
        .envs(environment.iter().copied())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may well end without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A PNG file with a QR code in two colours.
pub(crate) fn png(text: &str, dark: [u8; 4], light: [u8; 4]) -> Vec<u8> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
    let image = code.render().dark_color(Rgba(dark)).light_color(Rgba(light)).module_dimensions(5, 5).build();
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A file of this name in the tests' own folder.
pub(crate) fn scratch_file(name: &str, bytes: &[u8]) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, bytes).unwrap();
    file
}
