//! HAProxy's configuration.

use super::{
    Haproxy,
    nodes::{Node, Nodes},
};

impl Haproxy {
    pub(super) fn configuration(&self, nodes: &Nodes) -> String {
        let mut text = self.general();
        text.push_str(&self.frontend(nodes));
        text.push_str(NEW);
        text.extend(nodes.serving().map(new_server));
        text.extend(nodes.reachable().map(connect_backend));
        text
    }

    fn general(&self) -> String {
        format!(
            "\
# HAProxy for the tunnel service, written by `hybridge-relay proxy-config haproxy`.
# When the nodes change, write it again and reload HAProxy.
#
# The settings of each node: `node` is its number, `proxy.client_address` is \"proxy-protocol\", and `proxy.trusted` and
# `admin.listen` let this machine in.

global
    # Requests are logged at level info, with tunnel IDs and addresses in them; this keeps to changes of state.
    log /dev/log local0 notice
    # After a reload, the old process lives as long as its tunnels, up to this time.
    hard-stop-after {tunnel}s

defaults
    mode http
    log global
    timeout connect 2s
    timeout http-request 10s
    timeout client 15s
    timeout server 15s
    # A websocket may be silent this long. The service has limits of its own and ends tunnels earlier.
    timeout tunnel {tunnel}s
    timeout client-fin 5s
    timeout server-fin 5s
    # Notices a node whose machine is gone without a word.
    option srvtcpka
    srvtcpka-idle 10s
    srvtcpka-intvl 5s
    srvtcpka-cnt 3
",
            tunnel = self.common.tunnel_timeout.as_secs()
        )
    }

    fn frontend(&self, nodes: &Nodes) -> String {
        let routes: String = nodes.reachable().map(route).collect();
        format!(
            "
frontend tunnels
    bind {listen}{both} ssl crt {certificate} alpn http/1.1 ssl-min-ver TLSv1.2
    # The first two hex digits of a routing ID, in either case, name the node that holds the tunnel.
    acl connect path_beg /cable/connect/
    acl any-node path_beg /cable/new/ /cable/contact/
    http-request return status 404 content-type text/plain string \"There is nothing at this path.\" unless connect or any-node
{routes}    use_backend new if any-node
    default_backend gone

# No node has this number, or it is disabled: the tunnel is gone.
backend gone
    http-request return status 404 content-type text/plain string \"No tunnel with these IDs waits to be joined.\"
",
            listen = self.common.listen,
            both = if self.common.listen.ip().is_unspecified() && self.common.listen.is_ipv6() { " v4v6" } else { "" },
            certificate = self.certificate,
        )
    }
}

/// The head of the backend for new tunnels.
const NEW: &str = "
# A new tunnel may be at any node that is ready. One that drains answers 503 to the check and gets no more of them;
# the tunnels that it has go on.
backend new
    balance leastconn
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
    http-check expect status 200
    # A node that has just gone or begun to drain is not noticed yet: another one gets the request.
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response 503
    default-server check inter 1s fall 2 rise 1 send-proxy-v2
";

fn new_server(node: &Node) -> String {
    let (hex, address, health) = (node.hex(), &node.address, &node.health);
    format!("    server node-{hex} {address} addr {} port {}\n", health.host(), health.port())
}

fn route(node: &Node) -> String {
    let hex = node.hex();
    format!("    use_backend node-{hex} if connect {{ path,field(4,/),bytes(0,2) -m str -i {hex} }}\n")
}

fn connect_backend(node: &Node) -> String {
    let (hex, address) = (node.hex(), &node.address);
    format!(
        "
backend node-{hex}
    # Only this node has the tunnel, so there is nothing to choose and nothing to check.
    retries 1
    server node-{hex} {address} send-proxy-v2
"
    )
}
