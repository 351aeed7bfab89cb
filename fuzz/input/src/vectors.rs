//! Seeds out of the known-answer vectors: each case as the input of the target that reads such bytes, the good ones
//! and the bad ones.

use std::{error::Error, fs, path::Path};

use data_encoding::HEXLOWER_PERMISSIVE;
use hybridge_fuzz_input::Writer;
use serde_json::Value;

use crate::corpus::Corpus;

type Done = Result<(), Box<dyn Error>>;

/// Writes the seeds of all files.
pub(crate) fn write(folder: &Path, corpus: &mut Corpus) -> Done {
    let read = |name: &str| -> Result<Value, Box<dyn Error>> {
        Ok(serde_json::from_slice(&fs::read(folder.join(name).with_extension("json"))?)?)
    };
    codes(&read("qr")?, corpus)?;
    digits(&read("digits")?, corpus)?;
    adverts(&read("eid")?, corpus)?;
    handshakes(&read("noise_knpsk0")?, false, corpus)?;
    handshakes(&read("noise_nkpsk0")?, true, corpus)?;
    frames(&read("transport")?, corpus)?;
    messages(&read("messages")?, corpus)?;
    links(&read("linking")?, corpus)?;
    addresses(&read("tunnel_domains")?, corpus)?;
    proxies(corpus)?;
    captured(&read("interop")?, corpus)?;
    items(corpus)
}

fn cases(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    value.as_str().ok_or_else(|| "a vector lacks a text".into())
}

fn bytes(value: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(HEXLOWER_PERMISSIVE.decode(text(value)?.as_bytes())?)
}

fn codes(document: &Value, corpus: &mut Corpus) -> Done {
    for case in cases(&document["valid"]) {
        corpus.add("qr_cbor", bytes(&case["cbor"])?)?;
    }
    for section in ["valid", "invalid", "non_canonical", "scheme_case"] {
        for case in cases(&document[section]) {
            corpus.add("qr_text", text(&case["uri"])?)?;
        }
    }
    Ok(())
}

fn digits(document: &Value, corpus: &mut Corpus) -> Done {
    for case in cases(&document["encode"]).chain(cases(&document["decode_errors"])) {
        corpus.add("qr_text", text(&case["digits"])?)?;
    }
    Ok(())
}

fn adverts(document: &Value, corpus: &mut Corpus) -> Done {
    for section in ["seal", "reject", "state_assisted"] {
        for case in cases(&document[section]) {
            let seed = Writer::default().fixed(&bytes(&case["eid_key"])?).fixed(&bytes(&case["advert"])?);
            corpus.add("advert", seed.finish())?;
        }
    }
    for case in cases(&document["suffix"]) {
        corpus.add("suffix", bytes(&case["suffix_cbor"])?)?;
    }
    Ok(())
}

fn handshakes(document: &Value, linked: bool, corpus: &mut Corpus) -> Done {
    for (index, case) in cases(&document["handshakes"]).enumerate() {
        let is_static = if linked { "responder_static_private" } else { "initiator_static_private" };
        let keys = |kind: u8| -> Result<Writer, Box<dyn Error>> {
            let kind = kind | u8::from(linked);
            Ok(Writer::default().byte(kind).fixed(&bytes(&case["psk"])?).fixed(&bytes(&case[is_static])?))
        };
        let ephemeral = bytes(&case["initiator_ephemeral_private"])?;
        corpus.add("handshake_message_1", keys(0)?.fixed(&bytes(&case["message_1"])?).finish())?;
        corpus.add("handshake_message_1", keys(2)?.fixed(&[0; 81]).finish())?;
        let message_2 = keys(0)?.fixed(&ephemeral).fixed(&bytes(&case["message_2"])?);
        corpus.add("handshake_message_2", message_2.finish())?;
        corpus.add("handshake_message_2", keys(2)?.fixed(&ephemeral).fixed(&[0; 81]).finish())?;
        if document["reject"]["for_handshake"].as_u64() != u64::try_from(index).ok() {
            continue;
        }
        for reject in cases(&document["reject"]["cases"]) {
            let message = bytes(&reject["message"])?;
            match text(&reject["side"])? {
                "responder" => corpus.add("handshake_message_1", keys(0)?.fixed(&message).finish())?,
                _ => {
                    corpus.add("handshake_message_2", keys(0)?.fixed(&ephemeral).fixed(&message).finish())?
                }
            }
        }
    }
    Ok(())
}

fn frames(document: &Value, corpus: &mut Corpus) -> Done {
    let keyed = |kind: u8, case: &Value, key: &[u8]| -> Result<Writer, Box<dyn Error>> {
        let counter = u32::try_from(case["counter"].as_u64().unwrap_or_default())?;
        Ok(Writer::default().byte(kind).fixed(key).fixed(&counter.to_le_bytes()))
    };
    for case in cases(&document["frames"]) {
        let key = bytes(&case["key"])?;
        corpus.add("frame", keyed(0, case, &key)?.fixed(&bytes(&case["ciphertext"])?).finish())?;
        corpus.add("frame", keyed(2, case, &key)?.fixed(&bytes(&case["message"])?).finish())?;
    }
    for case in cases(&document["reject"]).filter(|case| case["key"].is_string()) {
        let key = bytes(&case["key"])?;
        corpus.add("frame", keyed(0, case, &key)?.fixed(&bytes(&case["ciphertext"])?).finish())?;
    }
    for case in cases(&document["unpad"]) {
        corpus.add("frame", keyed(1, case, &[0; 32])?.fixed(&bytes(&case["padded"])?).finish())?;
    }
    Ok(())
}

fn messages(document: &Value, corpus: &mut Corpus) -> Done {
    for section in ["post_handshake", "post_handshake_v2_0"] {
        for case in cases(&document[section]) {
            corpus.add("post_handshake", bytes(&case["plaintext"])?)?;
        }
    }
    for section in ["typed_messages", "bad_typed_messages"] {
        for case in cases(&document[section]) {
            corpus.add("typed_message", bytes(&case["message"])?)?;
        }
    }
    for section in ["requests", "responses"] {
        for case in cases(&document["json_messages"][section]) {
            corpus.add("json", text(&case["json"])?)?;
        }
    }
    Ok(())
}

fn links(document: &Value, corpus: &mut Corpus) -> Done {
    let keys = |kind: u8, link: &Value| -> Result<Writer, Box<dyn Error>> {
        let key = bytes(&link["client_identity_private"])?;
        Ok(Writer::default().byte(kind).fixed(&key).fixed(&bytes(&link["handshake_hash"])?))
    };
    for link in cases(&document["links"]) {
        corpus.add("linking", keys(0, link)?.fixed(&bytes(&link["linking_info_cbor"])?).finish())?;
        let fields = keys(1, link)?
            .fixed(b"seed")
            .fixed(&bytes(&link["link_id"])?)
            .fixed(&bytes(&link["link_secret"])?)
            .chunk(text(&link["name"])?.as_bytes())
            .chunk(&bytes(&link["contact_id"])?);
        corpus.add("linking", fields.finish())?;
        let update = bytes(&link["update_message"])?;
        corpus.add("update", update.get(1..).unwrap_or_default())?;
        corpus.add("typed_message", &update)?;
        let called = &link["state_assisted"];
        corpus.add("client_payload", text(&called["client_payload_header"])?)?;
        corpus.add("client_payload", bytes(&called["client_payload_cbor"])?)?;
    }
    let signed = &document["links"][0];
    for case in cases(&document["reject"]["cases"]) {
        corpus.add("linking", keys(0, signed)?.fixed(&bytes(&case["linking_info_cbor"])?).finish())?;
    }
    Ok(())
}

fn addresses(document: &Value, corpus: &mut Corpus) -> Done {
    for case in cases(&document["urls"]) {
        corpus.add("service", text(&case["routing_id"])?)?;
        for url in ["new_url", "connect_url", "contact_url"] {
            let url = text(&case[url])?;
            let (host, path) = url.trim_start_matches("wss://").split_at(text(&case["domain"])?.len());
            corpus.add("service", path)?;
            for method in ["GET", "POST"] {
                corpus.add("http_head", request(method, host, path))?;
            }
        }
    }
    Ok(())
}

fn request(method: &str, host: &str, path: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Origin: wss://{host}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: fido.cable\r\n\r\n"
    )
}

/// Headers of the PROXY protocol: of the proxy itself, for both kinds of addresses, with extensions, and the text form.
fn proxies(corpus: &mut Corpus) -> Done {
    let rests: [(&[u8; 2], usize); 4] =
        [(b"\x20\x00", 0), (b"\x21\x11", 12), (b"\x21\x21", 36), (b"\x21\x11", 50)];
    for (kind, length) in rests {
        let length_bytes = u16::try_from(length)?.to_be_bytes();
        let rest = vec![7; length];
        corpus.add(
            "proxy_protocol",
            [b"\r\n\r\n\0\r\nQUIT\n", &kind[..], &length_bytes, &rest, b"GET /"].concat(),
        )?;
    }
    corpus.add("proxy_protocol", "PROXY TCP4 192.0.2.7 198.51.100.1 54321 443\r\n").map_err(Into::into)
}

/// Bytes of real products.
fn captured(document: &Value, corpus: &mut Corpus) -> Done {
    for code in ["chrome_qr_2022", "safari_qr_2022"] {
        corpus.add("qr_text", text(&document[code]["uri"])?)?;
        corpus.add("qr_cbor", bytes(&document[code]["cbor"])?)?;
    }
    for post_handshake in ["post_handshake_android_chrome", "post_handshake_ios16"] {
        corpus.add("post_handshake", bytes(&document[post_handshake])?)?;
        corpus.add("cbor", bytes(&document[post_handshake])?)?;
    }
    let session = &document["ios_transcript"];
    corpus.add("qr_text", text(&session["qr_uri"])?)?;
    corpus.add("qr_cbor", bytes(&session["qr_cbor"])?)?;
    corpus.add("cbor", bytes(&session["qr_cbor"])?)?;
    Ok(())
}

/// Items with every form that CTAP2 forbids.
fn items(corpus: &mut Corpus) -> Done {
    for item in [
        "a26174010102",
        "190001",
        "5f4101420203ff",
        "bf019f02ffff",
        "a220001a0000001800",
        "7f6161626263ff",
        "818181818181818180",
        "f93c00",
        "c000",
        "a20100180100",
        "1bffffffffffffffff",
        "9bffffffffffffffff",
    ] {
        corpus.add("cbor", HEXLOWER_PERMISSIVE.decode(item.as_bytes())?)?;
    }
    Ok(())
}
