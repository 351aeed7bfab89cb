# The recipes of every day; `.ci/run` is all of what a change has to pass.

# A registration and a sign-in over the whole chain, in one process.
demo *arguments:
    cargo run --release -p hybridge-demo -- {{arguments}}

# All tests.
test:
    cargo test --workspace

# What CI does.
ci:
    .ci/run

# Each fuzz target, or those named, for so many seconds. Needs nightly and cargo-fuzz.
fuzz seconds="20" *targets:
    .ci/fuzz {{seconds}} {{targets}}

# The benchmarks, with criterion's statistics.
bench:
    cargo bench --workspace --bench '*'

# What the protocol adds to its bare cryptography, beside the bounds.
ratios:
    cargo bench -p hybridge-proto --bench ratios

# The API documentation, in a browser.
docs:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --open

# Licences, banned crates and sources of dependencies.
deny:
    cargo deny --log-level error check licenses bans sources

# Known vulnerabilities; needs an internet connection.
advisories:
    cargo deny check advisories

# What a tunnel costs the tunnel service, held against its bounds; `--long` lets a million lifecycles pass.
load *arguments:
    .ci/load {{arguments}}

# What the desktop's background service costs at rest, and how long programs wait for it. Installs Debian's packages.
cost:
    .ci/cost

# Three nodes behind HAProxy and nginx: one is killed, all are restarted. Installs Debian's packages.
cluster:
    .ci/cluster

# The Debian packages of the tunnel service and of the laptop, built and looked into; or one: relay, desktop.
package *which:
    .ci/package {{which}}

# Programs that others wrote against ours: Chromium, other implementations, BlueZ. Installs Debian's packages.
interop *suites:
    .ci/interop {{suites}}
