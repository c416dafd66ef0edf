//! How often something may be done by one address, or to one account: a bucket for each, refilled through
//! the minute.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use menjin_core::Refusal;

/// Buckets that are remembered at once; past it, full ones are dropped, then all of them.
const BUCKETS: usize = 50_000;

/// A limit for each `K`.
pub(crate) struct Limit<K> {
    per_minute: u32,
    buckets: Mutex<HashMap<K, Bucket>>,
}

/// A limit for each address.
pub(crate) struct AddressLimit(Limit<IpAddr>);

/// When the bucket will be full again: one number says how much is in it (the "generic cell rate
/// algorithm").
#[derive(Clone, Copy)]
struct Bucket {
    full_at: Duration,
}

impl<K: Eq + Hash> Limit<K> {
    /// Zero turns it off.
    pub(crate) fn new(per_minute: u32) -> Self {
        let buckets = Mutex::default();
        Self {
            per_minute,
            buckets,
        }
    }

    /// Takes one from the bucket of `whose`.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyRequests`] when the bucket is empty.
    pub(crate) fn take(&self, whose: K, uptime: Duration) -> Result<(), Refusal> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let minute = Duration::from_mins(1);
        let each = minute / self.per_minute;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS {
            buckets.retain(|_, bucket| bucket.full_at > uptime);
            if buckets.len() >= BUCKETS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(whose).or_insert(Bucket { full_at: uptime });
        let full_at = bucket.full_at.max(uptime) + each;
        if full_at > uptime + minute {
            let retry_after = full_at
                .saturating_sub(uptime + minute)
                .max(Duration::from_secs(1));
            return Err(Refusal::TooManyRequests { retry_after });
        }
        bucket.full_at = full_at;
        Ok(())
    }
}

impl AddressLimit {
    /// Zero turns it off.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self(Limit::new(per_minute))
    }

    /// Takes one from the bucket of an address; an IPv6 network of 64 bits is one address, since
    /// whoever has one has all of it.
    ///
    /// # Errors
    ///
    /// As [`Limit::take`].
    pub(crate) fn take(&self, address: IpAddr, uptime: Duration) -> Result<(), Refusal> {
        self.0.take(network(address), uptime)
    }
}

/// Who counts as one: an address, or a whole network of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(limit: &AddressLimit, address: &str, tries: u32, at: u64) -> usize {
        let at = Duration::from_secs(at);
        let address = address.parse().unwrap();
        (0..tries)
            .filter(|_| limit.take(address, at).is_ok())
            .count()
    }

    #[test]
    fn a_bucket_holds_a_minute_and_refills_through_it() {
        let limit = AddressLimit::new(60);
        assert_eq!(allowed(&limit, "192.0.2.1", 100, 0), 60);
        assert_eq!(allowed(&limit, "192.0.2.2", 1, 0), 1);
        assert_eq!(allowed(&limit, "192.0.2.1", 100, 10), 10);
        assert_eq!(allowed(&limit, "192.0.2.1", 100, 3_600), 60);
        let refused = limit.take("192.0.2.1".parse().unwrap(), Duration::from_hours(1));
        let retry_after = Duration::from_secs(1);
        assert_eq!(refused, Err(Refusal::TooManyRequests { retry_after }));
    }

    #[test]
    fn a_network_is_one_address() {
        let limit = AddressLimit::new(2);
        assert_eq!(allowed(&limit, "2001:db8::1", 1, 0), 1);
        assert_eq!(allowed(&limit, "2001:db8::ffff:2", 5, 0), 1);
        assert_eq!(allowed(&limit, "2001:db8:0:1::1", 5, 0), 2);
        assert_eq!(allowed(&limit, "::ffff:192.0.2.1", 1, 0), 1);
        assert_eq!(allowed(&limit, "192.0.2.1", 5, 0), 1);
    }

    #[test]
    fn zero_is_no_limit_and_memory_is_bounded() {
        assert_eq!(allowed(&AddressLimit::new(0), "192.0.2.1", 1_000, 0), 1_000);
        let limit = AddressLimit::new(1);
        for n in 0..60_000_u32 {
            let _ = limit.take(std::net::Ipv4Addr::from_bits(n).into(), Duration::ZERO);
        }
        assert!(limit.0.buckets.lock().unwrap().len() <= BUCKETS);
    }
}
