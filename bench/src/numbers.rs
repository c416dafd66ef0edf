//! Small arithmetic of measurements.

/// A count as a factor.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^53"
)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// The middle value; of an even number the lower one of the two in the middle. Zero for none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or_default()
}

/// The smallest value that `per_mille` of all do not exceed. `sorted` ascends; zero for none.
pub(crate) fn percentile(sorted: &[u32], per_mille: usize) -> u32 {
    let rank = (sorted.len() * per_mille).div_ceil(1000);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// The output function of `SplitMix64`: each number becomes one that looks drawn at random.
pub(crate) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 500), 50);
        assert_eq!(percentile(&hundred, 990), 99);
        assert_eq!(percentile(&hundred, 1000), 100);
        assert_eq!(percentile(&[7], 990), 7);
        assert_eq!(percentile(&[], 990), 0);
    }

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        assert_eq!(median([9.0, 6.5, 900.0]).to_string(), "9");
        assert_eq!(median([2.0, 1.0]).to_string(), "1");
        assert_eq!(median([]).to_string(), "0");
    }

    #[test]
    fn mixing_starts_the_known_sequence() {
        // The first output of SplitMix64 seeded with 0.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }
}
