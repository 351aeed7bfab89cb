//! Each operation and its bare cryptography by itself, with criterion's statistics. The `ratios` benchmark compares
//! the two under the same conditions.

mod operations;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for mut comparison in operations::all() {
        let mut group = criterion.benchmark_group(comparison.operation);
        group.bench_function("hybridge", |bencher| bencher.iter(&mut comparison.whole));
        group.bench_function(comparison.cryptography, |bencher| bencher.iter(&mut comparison.bare));
        group.finish();
    }
    criterion.final_summary();
}
