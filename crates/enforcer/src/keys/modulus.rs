//! What can be told of an RSA modulus by looking at it, big-endian and without leading zeros.

/// The size in bits.
pub(super) fn bits(number: &[u8]) -> usize {
    let first = number.first().map_or(8, |first| first.leading_zeros());
    let unused = usize::try_from(first).unwrap_or(8);
    number.len().saturating_mul(8).saturating_sub(unused)
}

/// Whether it is odd. A modulus or exponent that is not is no RSA key.
pub(super) fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

/// Whether it has the mark of the ROCA generator (CVE-2017-15361), whose keys can be factored.
///
/// Its primes are `k·M + (65537^a mod M)` for a primorial `M`, so modulo every small prime the
/// modulus is a power of 65537. These seventeen primes are those up to 167 of which that says
/// something; a modulus made in another way passes them all once in 200 million.
pub(super) fn is_from_the_weak_generator(number: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ];
    PRIMES
        .iter()
        .all(|prime| is_power_of_65537(remainder(number, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number.iter().fold(0, |rest: u32, octet| {
        rest.wrapping_mul(256)
            .wrapping_add(u32::from(*octet))
            .checked_rem(prime)
            .unwrap_or(0)
    })
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let generator = 65_537_u32.checked_rem(prime).unwrap_or(0);
    let powers = std::iter::successors(Some(1_u32), |power| {
        power
            .wrapping_mul(generator)
            .checked_rem(prime)
            .filter(|next| *next != 1)
    });
    powers.into_iter().any(|power| power == residue)
}

#[cfg(test)]
mod tests {
    use super::{bits, is_odd, is_power_of_65537, remainder};

    #[test]
    fn counts_bits_from_the_first_one() {
        assert_eq!(bits(&[0x80, 0x00]), 16);
        assert_eq!(bits(&[0x01, 0x00]), 9);
        assert_eq!(bits(&[]), 0);
        assert!(is_odd(&[2, 1]) && !is_odd(&[1, 2]) && !is_odd(&[]));
    }

    #[test]
    fn divides_long_numbers() {
        assert_eq!(remainder(&[0x01, 0x00, 0x01], 157), 65_537 % 157);
        assert_eq!(remainder(&[0xff; 300], 251), {
            let mut rest = 0_u64;
            for _ in 0..300 {
                rest = (rest * 256 + 0xff) % 251;
            }
            u32::try_from(rest).unwrap()
        });
    }

    #[test]
    fn knows_the_powers_of_65537() {
        // 65537 mod 11 = 10, whose powers are 1 and 10.
        assert_eq!(
            (0..11)
                .filter(|r| is_power_of_65537(*r, 11))
                .collect::<Vec<_>>(),
            [1, 10]
        );
    }
}
