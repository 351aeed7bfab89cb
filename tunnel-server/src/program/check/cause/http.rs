//! In the answer to the websocket request.

use super::Cause;

const UPGRADE_FIX: &str = "let the proxy pass the upgrade on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
          proxy_set_header Connection \"upgrade\";).";

pub(crate) const NO_ANSWER: Cause = Cause {
    name: "no-answer",
    means: "the request is taken, and no answer comes: a proxy keeps the answer until it is complete, which an \
            upgrade never is, or the service behind it hangs.",
    fix: "switch buffering of answers off (nginx: proxy_buffering off;) and let the proxy pass upgrades on; ask the \
          service directly with --connect-to, to see which of the two it is.",
};

pub(crate) const NOT_HTTP: Cause = Cause {
    name: "not-http",
    means: "the answer is not HTTP/1.1.",
    fix: "see what listens on this port; a proxy that passes TCP through must not add a PROXY protocol header that \
          the service is not configured for.",
};

pub(crate) const CLOSED: Cause = Cause {
    name: "closed-without-answer",
    means: "the connection is closed before an answer.",
    fix: "if the service expects the PROXY protocol from this address, the proxy has to send version 2; otherwise see \
          the log of the proxy.",
};

pub(crate) const REDIRECT: Cause = Cause {
    name: "redirect",
    means: "the request is redirected, which most phones and browsers do not follow for a websocket.",
    fix: "answer /cable/ on this very host; take it out of the redirect to another host name, to https or to a path \
          with a slash at its end.",
};

pub(crate) const PATH_BLOCKED: Cause = Cause {
    name: "path-blocked",
    means: "something before the service answers this path itself.",
    fix: "pass /cable/new/, /cable/connect/ and /cable/contact/ on to the service (nginx: location /cable/), and \
          exempt them from filters and logins.",
};

pub(crate) const PATH_REWRITTEN: Cause = Cause {
    name: "path-rewritten",
    means: "the request reaches the service, but under another path.",
    fix: "pass the path on unchanged (nginx: proxy_pass without a path or slash behind the port; HAProxy: no \
          replace-path).",
};

pub(crate) const UPGRADE_DROPPED: Cause = Cause {
    name: "upgrade-dropped",
    means: "the request arrives without its Upgrade and Connection headers, or as HTTP/1.0.",
    fix: UPGRADE_FIX,
};

pub(crate) const NOT_UPGRADED: Cause = Cause {
    name: "not-upgraded",
    means: "the answer is not 101, so there is no websocket.",
    fix: "let this path go to the tunnel service and nowhere else, with its Upgrade and Connection headers.",
};

pub(crate) const SUBPROTOCOL_DROPPED: Cause = Cause {
    name: "subprotocol-dropped",
    means: "the request arrives without its header Sec-WebSocket-Protocol.",
    fix: "let the proxy pass that header on; an allow list of request headers has to contain it.",
};

pub(crate) const SUBPROTOCOL_NOT_ECHOED: Cause = Cause {
    name: "subprotocol-not-echoed",
    means: "the answer does not select the subprotocol fido.cable, and browsers then close the websocket.",
    fix: "let the proxy pass the response header Sec-WebSocket-Protocol on (nginx: no proxy_hide_header for it); a \
          proxy that speaks websocket itself has to offer and select fido.cable.",
};

pub(crate) const HANDSHAKE: Cause = Cause {
    name: "handshake-wrong",
    means: "the answer does not belong to the request: Upgrade, Connection or Sec-WebSocket-Accept is wrong.",
    fix: "let no cache or filter rewrite the upgrade; a proxy has to pass Sec-WebSocket-Key and the answer on as they are.",
};

pub(crate) const EXTENSION: Cause = Cause {
    name: "extension-added",
    means: "the answer switches a websocket extension on that was not asked for.",
    fix: "switch websocket compression off in the proxy; browsers close such a websocket.",
};

pub(crate) const ROUTING_ID_MISSING: Cause = Cause {
    name: "routing-id-missing",
    means: "the answer to /cable/new has no header X-caBLE-Routing-ID, and a phone then gives up.",
    fix: "let the proxy pass that response header on; an allow list of response headers has to contain it.",
};

pub(crate) const ROUTING_ID_WRONG: Cause = Cause {
    name: "routing-id-wrong",
    means: "the header X-caBLE-Routing-ID is not one value of 6 hex digits.",
    fix: "let the proxy pass the header on as it is, and add none of its own.",
};

pub(crate) const TOKEN_NEEDED: Cause = Cause {
    name: "token-needed",
    means: "opening a tunnel takes an access token.",
    fix: "pass --token-file FILE with a token of the service; phones need one too. If the service is meant to be \
          open, take the login off the proxy.",
};

pub(crate) const TOKEN_REFUSED: Cause = Cause {
    name: "token-refused",
    means: "the access token is not taken.",
    fix: "pass a token that is in the token file of the service or was made with its key and has not expired; the \
          proxy has to pass the header Authorization on.",
};

pub(crate) const ORIGIN_REFUSED: Cause = Cause {
    name: "origin-refused",
    means: "the service does not let the Origin in that clients send.",
    fix: "add wss:// and the host name to the allowed origins of the service, or leave that list out.",
};

pub(crate) const TOO_MANY: Cause = Cause {
    name: "too-many-requests",
    means: "the service or a proxy before it has had too many requests from this address.",
    fix: "wait a minute and check again; if all clients seem to have one address, configure the PROXY protocol or \
          the forwarded header, so that the service sees theirs.",
};

pub(crate) const BAD_GATEWAY: Cause = Cause {
    name: "bad-gateway",
    means: "a proxy answers, but cannot reach the service.",
    fix: "start the service, and let the proxy use its address and port, plain or TLS as the service speaks.",
};

pub(crate) const UNAVAILABLE: Cause = Cause {
    name: "unavailable",
    means: "the service is full or stopping, or a proxy knows of no healthy one.",
    fix: "see /readyz and the metrics of the service; raise its limit of tunnels, or start another machine.",
};

pub(crate) const SERVICE_FAILED: Cause = Cause {
    name: "service-failed",
    means: "the answer is an error of the server.",
    fix: "see the logs of the proxy and of the service.",
};

pub(crate) const WRONG_PATH_ANSWERED: Cause = Cause {
    name: "wrong-path-answered",
    means: "a path that no tunnel service has is not answered with 404 and a sentence.",
    fix: "nothing if the host has other pages too; otherwise let the proxy pass everything on to the service.",
};
