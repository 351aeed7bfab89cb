//! Ceremonies per second over the whole chain in one process: picture, camera, advert, TLS, tunnel service, Noise,
//! CTAP, and a phone whose owner agrees at once.
//!
//! A single ceremony waits up to 10 ms for the first packet of its advert, as Bluetooth demands; several at once show
//! what the machine can do.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion makes functions without documentation")]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hybridge_demo::{
    ceremony,
    laptop::Laptop,
    owner::{Owner, passkeys_of},
    phone::Phone,
    website::Website,
    world::{World, WorldOptions},
};
use tokio::{runtime::Runtime, task::JoinSet};

/// Pairs of laptop and phone that are busy at the same time, all in range of each other.
const PAIRS: u64 = 16;

fn one_at_a_time(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut world = runtime.block_on(World::new(WorldOptions::default())).unwrap();
    let mut group = criterion.benchmark_group("one at a time");
    group.sample_size(10).throughput(Throughput::Elements(1));
    let mut users = 0_u64;
    group.bench_function("registration", |bencher| {
        bencher.iter(|| {
            users += 1;
            runtime.block_on(world.register(&format!("user {users}"))).laptop.unwrap();
        });
    });
    group.bench_function("sign-in", |bencher| {
        bencher.iter(|| runtime.block_on(world.sign_in()).laptop.unwrap());
    });
    group.finish();
}

fn many_at_once(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::new(WorldOptions::default())).unwrap();
    let website = world.website.clone();
    let mut pairs: Vec<_> = (0..PAIRS).map(|number| pair(&world, number)).collect();
    for (number, (laptop, phone)) in pairs.iter_mut().enumerate() {
        let user = format!("user {number}");
        runtime.block_on(ceremony::register(&website, laptop, phone, &user)).laptop.unwrap();
    }
    let mut group = criterion.benchmark_group(format!("{PAIRS} at once"));
    group.sample_size(10).measurement_time(Duration::from_secs(15)).throughput(Throughput::Elements(PAIRS));
    group.bench_function("sign-in", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut took = Duration::ZERO;
            for _ in 0..rounds {
                let started = Instant::now();
                pairs = runtime.block_on(all_sign_in(&website, std::mem::take(&mut pairs)));
                took += started.elapsed();
            }
            took
        });
    });
    group.finish();
}

type Pair = (Laptop, Phone);

fn pair(world: &World, number: u64) -> Pair {
    let phone = world.phone(&format!("phone {number}"), passkeys_of(Owner::Agrees));
    (world.laptop(&format!("laptop {number}")), phone)
}

async fn all_sign_in(website: &Website, pairs: Vec<Pair>) -> Vec<Pair> {
    let mut busy = JoinSet::new();
    for (mut laptop, mut phone) in pairs {
        let website = website.clone();
        busy.spawn(async move {
            ceremony::sign_in(&website, &mut laptop, &mut phone).await.laptop.unwrap();
            (laptop, phone)
        });
    }
    busy.join_all().await
}

criterion_group!(benches, one_at_a_time, many_at_once);
criterion_main!(benches);
