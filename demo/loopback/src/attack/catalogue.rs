//! All attacks by name.

use super::{
    Attack, adverts, by_laptops, by_phones, codes, control::Family, crowds, links, messages, offers,
    services, sizes, swaps,
};

/// Name, family and function, whether the owner signs in all the same, and the description.
macro_rules! attacks {
    (@owner_signs_in) => { true };
    (@) => { false };
    ($($name:literal $family:ident $run:path $([$owner:ident])? => $description:literal;)+) => {
        &[$(Attack {
            name: $name,
            description: $description,
            family: Family::$family,
            owner_signs_in: attacks!(@$($owner)?),
            run: |scene| Box::pin($run(scene)),
        }),+]
    };
}

/// In the order of the way of a sign-in: code, advert, tunnel, messages, peers, links.
pub(super) const ATTACKS: &[Attack] = attacks! {
    "relayed-code" Ceremony codes::relayed_code =>
        "An attacker far away gets the owner to scan the code of the attacker's own sign-in.";
    "relayed-code-connect" Ceremony codes::relayed_code_connect =>
        "An attacker who made a scanned code asks for its tunnel without having heard the advert.";
    "relayed-code-guess" Service codes::relayed_code_guess =>
        "An attacker who made a scanned code joins its tunnel with the tunnel service's help and guesses the advert.";
    "photographed-code" Ceremony codes::photographed_code =>
        "Somebody near the laptop answers the owner's code with another phone.";
    "hostile-code" Ceremony codes::hostile_code =>
        "A phone is shown codes that no laptop shows.";
    "forged-advert" Ceremony adverts::forged_advert =>
        "A device near the laptop advertises random bytes.";
    "forged-advert-wrong-key" Ceremony adverts::forged_advert_wrong_key =>
        "A device near the laptop advertises what is sealed for another code.";
    "replayed-advert" Ceremony adverts::replayed_advert =>
        "A device near the laptop replays the advert of an earlier sign-in.";
    "repeated-advert" Service adverts::repeated_advert =>
        "A device near the laptop replays the advert of the same sign-in after its tunnel has failed.";
    "late-advert" Ceremony adverts::late_advert =>
        "A phone answers a code that has gone out of date.";
    "advert-after-end" Ceremony adverts::advert_after_end [owner_signs_in] =>
        "A phone answers a code after another phone has signed in with it.";
    "unassigned-service" Ceremony adverts::unassigned_service =>
        "Somebody with the code advertises a tunnel service that has no host.";
    "advert-flood" Ceremony adverts::advert_flood [owner_signs_in] =>
        "Somebody with the code advertises hundreds of tunnels that lead nowhere.";
    "forged-offer" Bluetooth offers::forged_offer [owner_signs_in] =>
        "A device near the laptop puts an offer of its own to be connected to behind the phone's advert.";
    "garbage-on-psm" Bluetooth offers::garbage_on_psm [owner_signs_in] =>
        "A device near the phone connects to it over Bluetooth and sends garbage, or nothing.";
    "two-phones" Ceremony crowds::two_phones [owner_signs_in] =>
        "A second phone answers the owner's code through the same tunnel service.";
    "stalling-phone" Service crowds::stalling_phone [owner_signs_in] =>
        "A second phone answers the owner's code first, through a tunnel service of its own that stalls.";
    "second-connect" Ceremony crowds::second_connect [owner_signs_in] =>
        "Somebody who knows all that opens a tunnel joins it after the laptop.";
    "taken-tunnel" Ceremony crowds::taken_tunnel =>
        "Somebody with the code opens its tunnel before the phone does.";
    "impostor-service" Service services::impostor_service =>
        "A host in the network pretends to be the tunnel service without its certificate.";
    "redirect-to-plaintext" Service services::redirect_to_plaintext =>
        "The tunnel service sends phone and laptop to an address without TLS.";
    "gone-on-connect" Service services::gone_on_connect =>
        "The tunnel service answers 410 where it has no business to.";
    "signal-on-code" Service services::signal_on_code =>
        "The tunnel service sends a connect signal that nobody asked for.";
    "flipped-message-1" Service messages::flipped_message_1 =>
        "The tunnel service flips a bit of the laptop's handshake message.";
    "flipped-message-2" Service messages::flipped_message_2 =>
        "The tunnel service flips a bit of the phone's handshake message.";
    "flipped-description" Service messages::flipped_description =>
        "The tunnel service flips a bit of the phone's first frame.";
    "flipped-request" Service messages::flipped_request =>
        "The tunnel service flips a bit of the request.";
    "flipped-reply" Service messages::flipped_reply =>
        "The tunnel service flips a bit of the reply.";
    "lost-message-1" Service messages::lost_message_1 =>
        "The tunnel service loses the laptop's handshake message.";
    "lost-message-2" Service messages::lost_message_2 =>
        "The tunnel service loses the phone's handshake message.";
    "lost-description" Service messages::lost_description =>
        "The tunnel service loses the phone's first frame.";
    "lost-request" Service messages::lost_request =>
        "The tunnel service loses the request.";
    "lost-reply" Service messages::lost_reply =>
        "The tunnel service loses the reply.";
    "repeated-message-1" Service messages::repeated_message_1 =>
        "The tunnel service replays the laptop's handshake message into the same tunnel.";
    "repeated-message-2" Service messages::repeated_message_2 =>
        "The tunnel service replays the phone's handshake message.";
    "repeated-request" Service messages::repeated_request [owner_signs_in] =>
        "The tunnel service replays the request.";
    "reordered-handshake" Service messages::reordered_handshake =>
        "The tunnel service delivers the phone's first frame before its handshake message.";
    "reordered-frames" Service messages::reordered_frames =>
        "The tunnel service delivers two frames of the phone in the wrong order.";
    "injected-reply" Service messages::injected_reply =>
        "The tunnel service sends the laptop a frame of its own.";
    "injected-request" Service messages::injected_request =>
        "The tunnel service sends the phone a frame of its own.";
    "reflected-message-1" Service messages::reflected_message_1 =>
        "The tunnel service sends the laptop's handshake message back to it.";
    "reflected-request" Service messages::reflected_request =>
        "The tunnel service sends the laptop's request back to it.";
    "swapped-tunnels" Service swaps::swapped_tunnels =>
        "The tunnel service ties the laptops of two sign-ins to each other's phones.";
    "swapped-replies" Service swaps::swapped_replies =>
        "The tunnel service gives the laptops of two sign-ins each other's replies.";
    "cut-message-1" Service sizes::cut_message_1 =>
        "The tunnel service makes the laptop's handshake message shorter and longer.";
    "cut-message-2" Service sizes::cut_message_2 =>
        "The tunnel service makes the phone's handshake message shorter and longer.";
    "short-replies" Service sizes::short_replies =>
        "The tunnel service cuts replies to 0, 1, 15 and 16 bytes.";
    "short-requests" Service sizes::short_requests =>
        "The tunnel service cuts requests to 0, 1, 15 and 16 bytes.";
    "oversize-reply" Service sizes::oversize_reply =>
        "The tunnel service sends the laptop a reply of 1 MiB and more.";
    "oversize-request" Service sizes::oversize_request =>
        "The tunnel service sends the phone a request of 1 MiB and more.";
    "oversize-message" Laptop sizes::oversize_message =>
        "A laptop sends more in one message than the tunnel service takes.";
    "wrong-static-key" Laptop by_laptops::wrong_static_key =>
        "A laptop that saw the code and heard the advert shakes hands with a key of its own.";
    "stolen-code" Laptop by_laptops::stolen_code =>
        "A laptop that saw the code and heard the advert shakes hands without the code's private key.";
    "bad-point-message-1" Laptop by_laptops::bad_point_message_1 =>
        "A laptop sends points that are not on the curve, under tags that verify.";
    "second-request" Laptop by_laptops::second_request =>
        "A laptop sends a second request before the reply to the first.";
    "malformed-request" Laptop by_laptops::malformed_request =>
        "A laptop sends messages that are no request.";
    "bad-point-message-2" Phone by_phones::bad_point_message_2 =>
        "A phone sends points that are not on the curve, under the tags they would have.";
    "malformed-description" Phone by_phones::malformed_description =>
        "A phone describes itself with malformed maps.";
    "unsolicited-reply" Phone by_phones::unsolicited_reply =>
        "A phone sends a CTAP reply before it is asked.";
    "malformed-reply" Phone by_phones::malformed_reply =>
        "A phone replies with messages that are no reply.";
    "cbor-bomb" Phone by_phones::cbor_bomb =>
        "A phone replies with CBOR that claims to be larger or deeper than it is.";
    "non-canonical-reply" Phone by_phones::non_canonical_reply =>
        "A phone replies with CBOR that browsers do not take.";
    "replayed-assertion" Phone by_phones::replayed_assertion =>
        "A phone replies with what the owner's phone signed for an earlier sign-in.";
    "malformed-padding" Phone by_phones::malformed_padding =>
        "A phone sends frames whose padding is longer than they are.";
    "counter-limit" Phone by_phones::counter_limit =>
        "A phone uses the last frame counter too early, and one beyond the last.";
    "forged-link" Link links::forged_link =>
        "A phone offers to be remembered as the owner's phone, with a signature of its own.";
    "replayed-link" Link links::replayed_link =>
        "A phone offers linking information that the owner's phone signed in another session.";
    "wrong-identity-key" Link links::wrong_identity_key =>
        "A phone that knows a link's secret answers the call without the remembered phone's key.";
    "false-signal" Link links::false_signal =>
        "The tunnel service says that a called phone has joined, which it has not.";
    "false-gone" Link links::false_gone =>
        "A host in the network says in the tunnel service's name that a remembered phone is gone for good.";
};
