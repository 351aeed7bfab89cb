//! On the way to the service: names, connections, TLS.

use super::Cause;

pub(crate) const NAME: Cause = Cause {
    name: "name-not-found",
    means: "the host name has no address.",
    fix: "add an A or AAAA record for it, and wait until it is published; or try --connect-to HOST:PORT.",
};

pub(crate) const UNREACHABLE: Cause = Cause {
    name: "unreachable",
    means: "nothing accepts connections at this address and port.",
    fix: "start the service or the proxy before it, let it listen on a public address, and open the port in the \
          firewall. Phones come to port 443.",
};

pub(crate) const PLAIN_ON_TLS_PORT: Cause = Cause {
    name: "plain-on-tls-port",
    means: "the port answers TLS with plain text.",
    fix: "give the service a certificate (tls.certificate and tls.key), or let the proxy end TLS on this port \
          (nginx: listen 443 ssl; HAProxy: bind :443 ssl crt FILE).",
};

pub(crate) const TLS_ON_PLAIN_PORT: Cause = Cause {
    name: "tls-on-plain-port",
    means: "the port speaks TLS, and was asked in plain text.",
    fix: "check with https:// in place of http://; if a proxy talks to the service, let it use TLS (nginx: \
          proxy_pass https://…; HAProxy: server … ssl).",
};

pub(crate) const TLS: Cause = Cause {
    name: "tls-failed",
    means: "no TLS connection comes about, for another reason than the certificate.",
    fix: "allow TLS 1.2 or 1.3 with common ciphers and the protocol http/1.1, and let the port go to the service.",
};

pub(crate) const CERTIFICATE_NAME: Cause = Cause {
    name: "certificate-name",
    means: "the certificate is for other names than this host.",
    fix: "get a certificate for exactly this name, and see to it that the proxy shows that one to clients that ask \
          for this name (SNI).",
};

pub(crate) const CERTIFICATE_SELF_SIGNED: Cause = Cause {
    name: "certificate-self-signed",
    means: "the certificate is signed by itself, and no phone or browser trusts it.",
    fix: "get a certificate from a public authority, such as Let's Encrypt; to check with your own root, pass --ca.",
};

pub(crate) const CERTIFICATE_CHAIN: Cause = Cause {
    name: "certificate-chain",
    means: "nothing leads from the service's own certificate to a root: the certificates between are not sent, or \
            its authority is not trusted here.",
    fix: "configure the full chain, the service's own certificate first (certbot: fullchain.pem, not cert.pem).",
};

pub(crate) const CERTIFICATE_ISSUER: Cause = Cause {
    name: "certificate-issuer",
    means: "the certificate comes from an authority that this machine does not trust.",
    fix: "get a certificate from a public authority, such as Let's Encrypt; to check with your own root, pass --ca.",
};

pub(crate) const CERTIFICATE_EXPIRED: Cause = Cause {
    name: "certificate-expired",
    means: "the certificate is out of date.",
    fix: "renew it, and let whatever ends TLS read it again (hybridge-relay: SIGHUP); then make the renewal automatic.",
};

pub(crate) const CERTIFICATE_NOT_YET: Cause = Cause {
    name: "certificate-not-yet-valid",
    means: "the certificate is valid only from a later time on.",
    fix: "set the clock of this machine and of the one that made the certificate.",
};

pub(crate) const CERTIFICATE_EXPIRES_SOON: Cause = Cause {
    name: "certificate-expires-soon",
    means: "the certificate is out of date within two weeks.",
    fix: "see whether the automatic renewal works, and whether whatever ends TLS reads the new certificate.",
};

pub(crate) const CERTIFICATE: Cause = Cause {
    name: "certificate-refused",
    means: "the certificate cannot be used for a server.",
    fix: "get a certificate for TLS servers from a public authority, such as Let's Encrypt.",
};
