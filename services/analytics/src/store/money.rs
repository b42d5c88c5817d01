use anyhow::Context;
use bson::Decimal128;
use contracts::Money;

/// How money is stored: a Decimal128 holds 34 digits exactly and MongoDB adds it up exactly. A
/// 64-bit integer would not do: a day at the highest rate is more, and a sum of such turns into a
/// double.
pub(super) fn stored(money: Money) -> anyhow::Result<Decimal128> {
    money.0.to_string().parse().context("a sum of money that is too large to be stored")
}

/// The money that was stored.
pub(super) fn read(stored: Decimal128) -> anyhow::Result<Money> {
    stored.to_string().parse().map(Money).context("a stored sum of money that is no whole number")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn money_of_up_to_34_digits_survives_storing(units in 0..10i128.pow(34)) {
            prop_assert_eq!(read(stored(Money(units)).unwrap()).unwrap(), Money(units));
        }
    }

    #[test]
    fn what_decimal128_cannot_hold_exactly_is_refused() {
        assert!(stored(Money(10i128.pow(34) + 1)).is_err());
    }
}
