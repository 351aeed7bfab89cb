//! Events in words, for traces and logs. Unlike `Debug` it shows replies and requests, which are no secrets here.

use hybridge_proto::{authenticator, client, client::FoundBy};

pub(crate) fn client_event(event: &client::Event) -> String {
    use client::Event;
    match event {
        Event::ShowQr { .. } => "ShowQr".to_owned(),
        Event::HideQr => "HideQr".to_owned(),
        Event::PhoneNearby { found_by } => format!("PhoneNearby by {}", way(*found_by)),
        Event::UnknownTunnelService(domain) => format!("UnknownTunnelService {domain}"),
        Event::PhoneJoined(_) => "PhoneJoined".to_owned(),
        Event::Handshaking { found_by } => format!("Handshaking by {}", way(*found_by)),
        Event::AttemptFailed { found_by, channel, error } => {
            format!("AttemptFailed by {}, {channel}: {error:?}", way(*found_by))
        }
        Event::LinkGone(_) => "LinkGone".to_owned(),
        Event::Connected { found_by, .. } => format!("Connected by {}", way(*found_by)),
        Event::CtapReply(reply) => format!("CtapReply({reply:?})"),
        Event::JsonReply(reply) => format!("JsonReply({reply:?})"),
        Event::Linked(_) => "Linked".to_owned(),
        Event::LinkRefused(error) => format!("LinkRefused({error:?})"),
        Event::Finished => "Finished".to_owned(),
        Event::Failed(error) => format!("Failed({error:?})"),
        other => panic!("an unknown event {other:?}"),
    }
}

pub(crate) fn authenticator_event(event: &authenticator::Event) -> String {
    use authenticator::Event;
    match event {
        Event::TunnelUnavailable(error) => format!("TunnelUnavailable({error:?})"),
        Event::Advertising => "Advertising".to_owned(),
        Event::ClientConnected => "ClientConnected".to_owned(),
        Event::CtapRequest(request) => format!("CtapRequest({request:?})"),
        Event::JsonRequest(request) => format!("JsonRequest({request:?})"),
        Event::Finished => "Finished".to_owned(),
        Event::Failed(error) => format!("Failed({error:?})"),
        other => panic!("an unknown event {other:?}"),
    }
}

fn way(found_by: FoundBy) -> &'static str {
    match found_by {
        FoundBy::Code => "code",
        FoundBy::Call(_) => "call",
        other => panic!("an unknown way {other:?}"),
    }
}
