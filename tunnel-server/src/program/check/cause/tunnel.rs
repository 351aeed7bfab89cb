//! Within the tunnel.

use super::Cause;

pub(crate) const WRONG_ROUTING: Cause = Cause {
    name: "wrong-routing",
    means: "the tunnel is open, and joining it with its routing ID is answered with 404: the request reaches another \
            machine than the one that holds the tunnel.",
    fix: "route /cable/connect/<routing ID>/ by the routing ID; hybridge-relay proxy-config writes that for HAProxy \
          and nginx. Round robin and source hashing cannot work, since phone and client are different machines.",
};

pub(crate) const CASE: Cause = Cause {
    name: "case-matters",
    means: "joining works with upper-case hex digits only, or with lower-case ones only; clients send either.",
    fix: "let the rule of the proxy that reads the routing ID ignore the case (nginx: ~*; HAProxy: -i).",
};

pub(crate) const LOST: Cause = Cause {
    name: "message-lost",
    means: "a message that was sent does not arrive, also when more follows it.",
    fix: "see whether something between drops websocket frames; messages sent before the client joins have to be \
          kept for it.",
};

pub(crate) const CHANGED: Cause = Cause {
    name: "message-changed",
    means: "a message arrives other than it was sent.",
    fix: "let the proxy pass bytes through after the upgrade; a filter that looks into websockets has to be off.",
};

pub(crate) const BUFFERING: Cause = Cause {
    name: "buffering",
    means: "a message arrives only when more is sent after it: something between collects bytes.",
    fix: "switch buffering off on this path (nginx: proxy_buffering off; proxy_request_buffering off;), and flush \
          after every read in a proxy of your own.",
};

pub(crate) const SLOW: Cause = Cause {
    name: "slow",
    means: "a message takes more than a second there and back.",
    fix: "see whether something between collects bytes, and whether TCP_NODELAY is set everywhere.",
};

pub(crate) const CLOSED: Cause = Cause {
    name: "tunnel-closed",
    means: "the tunnel is closed while it is in use.",
    fix: "see the log of the proxy for what ends connections; websockets have to live for minutes.",
};

pub(crate) const SIZE_LIMIT: Cause = Cause {
    name: "size-limit",
    means: "larger messages end the tunnel, and those of digital credentials are that large.",
    fix: "raise the limit for websocket messages in the proxy and in the service to 1 MiB.",
};

pub(crate) const IDLE_TIMEOUT: Cause = Cause {
    name: "idle-timeout",
    means: "something between closes the tunnel because it is quiet, while a person still looks for the phone.",
    fix: "let quiet connections live for at least 5 minutes (nginx: proxy_read_timeout 300s; proxy_send_timeout 300s; \
          HAProxy: timeout tunnel 5m), also in load balancers and firewalls.",
};

pub(crate) const NO_PONG: Cause = Cause {
    name: "ping-unanswered",
    means: "a websocket ping is not answered.",
    fix: "let the proxy pass control frames on, or answer them.",
};

pub(crate) const CLOSE_LOST: Cause = Cause {
    name: "close-code-lost",
    means: "the other side's close code does not arrive, so that a good end looks like a failure.",
    fix: "let the proxy pass close frames on before it ends the connection.",
};

pub(crate) const JOINED_TWICE: Cause = Cause {
    name: "joined-twice",
    means: "a second client can join a tunnel that is taken.",
    fix: "the service has to let each tunnel be joined once and answer 404 after that; report this to its makers.",
};
