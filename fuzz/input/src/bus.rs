//! Seeds for what programs tell BlueZ of adverts: dictionaries as D-Bus has them, little-endian.

use std::io;

use crate::corpus::Corpus;

/// The flag of the first byte: the adapter is discoverable.
const DISCOVERABLE: u8 = 1;
const UUID: &str = "0000fff9-0000-1000-8000-00805f9b34fb";

pub(crate) fn write(corpus: &mut Corpus) -> io::Result<()> {
    let service_data = |length| dictionary(&[(UUID, Value::Bytes(vec![7; length]))]);
    let advert = [
        ("Type", Value::Text("peripheral")),
        ("ServiceUUIDs", Value::Texts(&[UUID, "fde2"])),
        ("ServiceData", Value::Dictionary(service_data(20))),
        ("Discoverable", Value::Flag(false)),
        ("Includes", Value::Texts(&["tx-power"])),
        ("Timeout", Value::Number(60)),
        ("MinInterval", Value::WideNumber(100)),
        ("MaxInterval", Value::WideNumber(150)),
    ];
    let plain = [("Type", Value::Text("broadcast")), ("ServiceData", Value::Dictionary(service_data(27)))];
    let filter = [
        ("UUIDs", Value::Texts(&[])),
        ("Transport", Value::Text("le")),
        ("DuplicateData", Value::Flag(true)),
        ("RSSI", Value::Number(20)),
        ("Pattern", Value::Text("00:00")),
    ];
    for (flags, properties) in [(DISCOVERABLE, &advert[..]), (0, &plain), (0, &filter), (2, &[])] {
        corpus.add("bluez", [&[flags], message(properties).as_slice()].concat())?;
    }
    Ok(())
}

/// A value with its signature.
#[derive(Clone)]
enum Value {
    Flag(bool),
    Number(u16),
    WideNumber(u32),
    Text(&'static str),
    Texts(&'static [&'static str]),
    Bytes(Vec<u8>),
    Dictionary(Vec<(&'static str, Value)>),
}

fn dictionary(entries: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    entries.to_vec()
}

/// The body of a message with one argument, `a{sv}`.
fn message(entries: &[(&'static str, Value)]) -> Vec<u8> {
    let mut body = Vec::new();
    put_dictionary(&mut body, entries);
    body
}

fn align(body: &mut Vec<u8>, to: usize) {
    body.resize(body.len().next_multiple_of(to), 0);
}

fn put_number(body: &mut Vec<u8>, number: usize) {
    align(body, 4);
    body.extend((number as u32).to_le_bytes());
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    put_number(body, text.len());
    body.extend(text.as_bytes());
    body.push(0);
}

/// An array, whose length is known behind it and does not count the padding before the first element.
fn put_array(body: &mut Vec<u8>, alignment: usize, elements: impl FnOnce(&mut Vec<u8>)) {
    put_number(body, 0);
    let at = body.len() - 4;
    align(body, alignment);
    let start = body.len();
    elements(body);
    let length = (body.len() - start) as u32;
    body[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

fn put_dictionary(body: &mut Vec<u8>, entries: &[(&'static str, Value)]) {
    put_array(body, 8, |body| {
        for (name, value) in entries {
            align(body, 8);
            put_text(body, name);
            put_value(body, value);
        }
    });
}

fn put_value(body: &mut Vec<u8>, value: &Value) {
    let signature = match value {
        Value::Flag(_) => "b",
        Value::Number(_) => "q",
        Value::WideNumber(_) => "u",
        Value::Text(_) => "s",
        Value::Texts(_) => "as",
        Value::Bytes(_) => "ay",
        Value::Dictionary(_) => "a{sv}",
    };
    body.push(signature.len() as u8);
    body.extend(signature.as_bytes());
    body.push(0);
    match value {
        Value::Flag(flag) => put_number(body, usize::from(*flag)),
        Value::Number(number) => {
            align(body, 2);
            body.extend(number.to_le_bytes());
        }
        Value::WideNumber(number) => put_number(body, *number as usize),
        Value::Text(text) => put_text(body, text),
        Value::Texts(texts) => put_array(body, 4, |body| texts.iter().for_each(|text| put_text(body, text))),
        Value::Bytes(bytes) => put_array(body, 1, |body| body.extend(bytes)),
        Value::Dictionary(entries) => put_dictionary(body, entries),
    }
}
