//! nginx's configuration.

use super::{
    Nginx,
    nodes::{Node, Nodes},
};

impl Nginx {
    pub(super) fn configuration(&self, nodes: &Nodes) -> String {
        let mut text = self.general();
        text.push_str(NEW);
        text.extend(nodes.serving().map(|node| format!("        {}\n", new_server(node))));
        text.push_str("    }\n");
        text.extend(nodes.reachable().map(connect_upstream));
        text.push_str(&self.server(nodes));
        text
    }

    fn general(&self) -> String {
        format!(
            "\
# nginx for the tunnel service, written by `hybridge-relay proxy-config nginx`: a whole nginx.conf.
# When the nodes change, write it again and reload nginx.
#
# The settings of each node: `node` is its number, and `proxy.trusted` has this machine's address.

worker_processes auto;
# Each tunnel takes four descriptors here: two sockets for either side.
worker_rlimit_nofile 65536;
# After a reload, the old processes live as long as their tunnels, up to this time.
worker_shutdown_timeout {tunnel}s;
# From level error on, each line holds a request's path with the tunnel ID in it.
error_log /var/log/nginx/error.log crit;

events {{
    worker_connections 32768;
}}

http {{
    access_log off;
    server_tokens off;
    tcp_nodelay on;

    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $tunnel_connection;
    # What the peer itself wrote there is not passed on.
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_connect_timeout 2s;
    # A websocket may be silent this long. The service has limits of its own and ends tunnels earlier.
    proxy_read_timeout {tunnel}s;
    proxy_send_timeout {tunnel}s;
    # Notices a node whose machine is gone without a word.
    proxy_socket_keepalive on;

    map $http_upgrade $tunnel_connection {{
        default upgrade;
        '' close;
    }}
",
            tunnel = self.common.tunnel_timeout.as_secs()
        )
    }

    fn server(&self, nodes: &Nodes) -> String {
        let listen = self.common.listen;
        let both = if listen.ip().is_unspecified() && listen.is_ipv6() { " ipv6only=off" } else { "" };
        let routes: String = nodes.reachable().map(route).collect();
        format!(
            "
    server {{
        listen {listen} ssl{both};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        client_header_timeout 10s;
        default_type text/plain;

        location /cable/new/ {{
            proxy_pass http://new;
            # A node that is gone or drains: another one gets the request.
            proxy_next_upstream error timeout invalid_header http_502 http_503 http_504;
        }}
        location /cable/contact/ {{
            proxy_pass http://new;
        }}

        # The first two hex digits of a routing ID, in either case, name the node that holds the tunnel.
{routes}
        # No node has this number, or it is disabled: the tunnel is gone.
        location /cable/connect/ {{
            return 404 \"No tunnel with these IDs waits to be joined.\\n\";
        }}
        location / {{
            return 404 \"There is nothing at this path.\\n\";
        }}
    }}
}}
",
            certificate = self.certificate,
            key = self.key,
        )
    }
}

/// The head of the upstream for new tunnels.
const NEW: &str = "
    # A new tunnel may be at any node. One that cannot be reached or answers 503, as one that drains does, is left
    # alone for two seconds; the tunnels that it has go on.
    upstream new {
        zone new 64k;
        least_conn;
";

fn new_server(node: &Node) -> String {
    format!("server {} max_fails=1 fail_timeout=2s;", node.address)
}

fn connect_upstream(node: &Node) -> String {
    format!("    upstream node-{} {{\n        server {};\n    }}\n", node.hex(), node.address)
}

fn route(node: &Node) -> String {
    let hex = node.hex();
    let pattern: String = hex.chars().map(either_case).collect();
    format!(
        "        location ~ ^/cable/connect/{pattern} {{\n            proxy_pass http://node-{hex};\n        }}\n"
    )
}

/// A pattern for a hex digit in either case.
fn either_case(digit: char) -> String {
    if digit.is_ascii_digit() {
        digit.to_string()
    } else {
        format!("[{digit}{}]", digit.to_ascii_lowercase())
    }
}
