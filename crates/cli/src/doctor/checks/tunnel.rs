//! Whether a tunnel service can be reached.

use hybridge_tunnel::CertificateFault;

use super::super::{
    facts::{Reached, Stage, Tunnel},
    finding::{Check, Finding},
};

pub(super) fn finding(tunnel: &Tunnel) -> Finding {
    let host = tunnel.host.as_str();
    let fail = |what: String, fix: &str| Finding::fail(Check::TunnelService, what, fix);
    match &tunnel.reached {
        Reached::Answered { status: 500.., .. } => Finding::warn(
            Check::TunnelService,
            format!("The tunnel service {host} answers that it has a problem of its own"),
            "try again later",
        ),
        Reached::Answered { .. } => {
            Finding::ok(Check::TunnelService, format!("The tunnel service {host} answers"))
        }
        Reached::NoName(reason) => fail(
            format!("The name of the tunnel service {host} is not found ({reason})"),
            "check the network connection and the name server; a filter of names may block it",
        ),
        Reached::NoConnection(reason) => fail(
            format!("The tunnel service {host} is not reached ({reason})"),
            "check the network connection; a firewall may block it",
        ),
        Reached::BadCertificate(fault) => certificate(host, *fault),
        Reached::NoTls(reason) => fail(
            format!("There is no secure connection to the tunnel service {host} ({reason})"),
            "check the clock, and whether somebody intercepts TLS here",
        ),
        Reached::Strange(reason) => fail(
            format!("What answers in the place of the tunnel service {host} is none ({reason})"),
            "log in to the network if it has a page for that; a proxy or firewall may be in between",
        ),
        Reached::TimedOut { stage } => late(host, *stage),
    }
}

fn late(host: &str, stage: Stage) -> Finding {
    let (what, fix) = match stage {
        Stage::Name => {
            ("the name server does not answer in time", "check the network connection and the name server")
        }
        Stage::Connection => {
            ("it does not answer in time", "check the network connection; a firewall may block it")
        }
        Stage::Answer => (
            "the connection opens and then nothing comes",
            "a firewall or proxy may be in between; try another network",
        ),
    };
    Finding::fail(Check::TunnelService, format!("The tunnel service {host} is not reached: {what}"), fix)
}

fn certificate(host: &str, fault: CertificateFault) -> Finding {
    let (what, fix) = match fault {
        CertificateFault::Expired => (
            "has expired by this computer's clock",
            "set the clock; if it is right, the service has to renew it",
        ),
        CertificateFault::NotYetValid => ("is not valid yet by this computer's clock", "set the clock"),
        CertificateFault::UnknownIssuer => (
            "is not vouched for by anybody whom this computer trusts",
            "find out who intercepts TLS here, or install the package ca-certificates",
        ),
        CertificateFault::OtherHost => (
            "is another host's",
            "find out who answers in its place: a proxy, or a page to log in to the network",
        ),
        _ => ("cannot be used", "find out who intercepts TLS here"),
    };
    Finding::fail(Check::TunnelService, format!("The certificate of the tunnel service {host} {what}"), fix)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::doctor::finding::Status;

    fn of(reached: Reached) -> Finding {
        let finding = finding(&Tunnel { host: "cable.example".to_owned(), reached });
        assert!(finding.statement.contains("cable.example"));
        finding
    }

    fn answered(status: u16) -> Status {
        of(Reached::Answered { status, date: None, at: SystemTime::UNIX_EPOCH }).status
    }

    #[test]
    fn an_answer_of_any_kind_is_one() {
        assert_eq!([101, 302, 404, 410].map(answered), [Status::Ok; 4]);
        assert_eq!(answered(503), Status::Warn);
    }

    #[test]
    fn each_way_to_fail_has_its_fix() {
        let why = || "reason".to_owned();
        let faults = [
            Reached::NoName(why()),
            Reached::NoConnection(why()),
            Reached::NoTls(why()),
            Reached::Strange(why()),
            Reached::TimedOut { stage: Stage::Name },
            Reached::TimedOut { stage: Stage::Connection },
            Reached::TimedOut { stage: Stage::Answer },
        ];
        for reached in faults {
            let told = of(reached.clone());
            assert_eq!(told.status, Status::Fail, "{reached:?}");
            assert!(told.fix.is_some());
        }
    }

    #[test]
    fn certificates_say_when_it_is_the_clock() {
        let fix = |fault| of(Reached::BadCertificate(fault)).fix.unwrap();
        for fault in [CertificateFault::Expired, CertificateFault::NotYetValid] {
            assert!(fix(fault).contains("clock"), "{fault:?}");
        }
        for fault in [CertificateFault::UnknownIssuer, CertificateFault::OtherHost, CertificateFault::Other] {
            assert!(!fix(fault).contains("clock"), "{fault:?}");
        }
    }
}
