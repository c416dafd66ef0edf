//! AES in CBC mode, and the padding behind it, both as WeChat uses them: without authentication.

use aws_lc_rs::{
    cipher::{Algorithm, DecryptingKey, DecryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

/// Decrypts whole blocks, and takes off the PKCS #7 padding that fills them up to a multiple of
/// `block` bytes.
///
/// `None` if the key, the vector or the length does not fit the algorithm, or no such padding comes
/// out; by its time nobody can tell where the padding went wrong.
pub(crate) fn decrypt(
    algorithm: &'static Algorithm,
    (key, iv): (&[u8], &[u8; 16]),
    mut bytes: Zeroizing<Vec<u8>>,
    block: u8,
) -> Option<Zeroizing<Vec<u8>>> {
    let key = DecryptingKey::cbc(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    key.decrypt(&mut bytes, context).ok()?;
    let plain = unpadded(&bytes, block)?;
    bytes.truncate(plain);
    Some(bytes)
}

/// Bytes before the padding: 1 to `block` bytes, each of which says how many there are.
fn unpadded(bytes: &[u8], block: u8) -> Option<usize> {
    let count = *bytes.last()?;
    let tail = bytes.get(bytes.len().checked_sub(block.into())?..)?;
    let mut good: Choice = !count.ct_eq(&0) & !count.ct_gt(&block);
    for (at, byte) in (0_u8..).zip(tail.iter().rev()) {
        good &= !at.ct_lt(&count) | byte.ct_eq(&count);
    }
    bool::from(good).then(|| bytes.len() - usize::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_of_every_length_comes_off() {
        for block in [16, 32] {
            for count in 1..=block {
                let mut bytes = vec![0xee; usize::from(2 * block - count)];
                bytes.resize(usize::from(2 * block), count);
                assert_eq!(
                    unpadded(&bytes, block),
                    Some(usize::from(2 * block - count))
                );
            }
        }
    }

    /// Every single byte of the padding counts, and so does its length.
    #[test]
    fn wrong_padding_is_seen() {
        for block in [16_u8, 32] {
            for count in 1..=block {
                let mut good = vec![0xee; usize::from(2 * block - count)];
                good.resize(usize::from(2 * block), count);
                for at in good.len() - usize::from(count)..good.len() {
                    let mut bytes = good.clone();
                    bytes[at] ^= 0x40;
                    assert_eq!(unpadded(&bytes, block), None, "{count} at {at}");
                }
            }
            for count in [0, block + 1, 128, 255] {
                assert_eq!(unpadded(&[count; 64], block), None, "{count}");
            }
            assert_eq!(unpadded(&vec![1; usize::from(block) - 1], block), None);
            assert_eq!(unpadded(&[], block), None);
        }
    }
}
